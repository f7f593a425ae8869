import { MASK } from '../../base/secret/redaction.ts'
import { catalogueOf } from '../../catalogue/event-types.sql.ts'
import { authUrls, checkTokenUrl, type DestinationAuth } from '../../destination/auth.ts'
import { findCertificate } from '../../destination/certificates.ts'
import { checkAuth } from '../../destination/signed-jwt.ts'
import type { DestinationRules } from '../../destination/url.ts'
import { checkUrl } from '../../destination/url-template.ts'
import { type KnownType, ruleWarnings } from '../../match/lint/warnings.ts'
import type { Problem } from '../../model/errors.ts'
import { isJsonContentType, JSON_TYPE } from '../../shape/content-type.ts'
import { customHeaderNames, profileSupportsAsymmetric } from '../../shape/profile.ts'
import { type TrialEvent, templateWarnings } from '../../shape/template-warnings.ts'
import { hasOutputs } from '../../shape/text-parts.ts'
import { checkSecret, secretWarning } from '../../signature/secret.ts'
import { sampleType } from '../sample.ts'
import type { SubscriptionSettings } from '../settings.ts'
import type { Subscription } from '../subscription.ts'

/** Values that a schema alone cannot check; `secret` is the one that deliveries would be signed with. */
export type Checked = {
  url: string | undefined
  secret: string | undefined
  auth: DestinationAuth | null
  custom: SubscriptionSettings['custom']
}

/** Finds addresses, keys and credentials that cannot be used. */
export async function findProblems(
  rules: DestinationRules,
  { url, secret, auth, custom }: Checked,
): Promise<Problem[]> {
  const tokenUrls = auth === null ? [] : authUrls(auth)
  const checks = [
    ...(url === undefined ? [] : [{ path: 'url', check: checkUrl(url, rules) }]),
    ...tokenUrls.map((each) => ({ path: each.path, check: checkTokenUrl(each.url, rules) })),
    ...(secret === undefined ? [] : [{ path: 'secret', check: checkSecret(secret, custom?.signature.key) }]),
  ]
  const masked = [...(url === undefined ? [] : [{ path: 'url', url }]), ...tokenUrls]
    .filter((given) => given.url.includes(MASK))
    .map(({ path }) => ({ path, message: 'must be the URL itself, not what answers show in its place' }))
  const problems = checks.flatMap(({ path, check }) => (check.ok ? [] : [{ path, message: check.message }]))
  const certificate = findCertificate(rules, auth)
  return [
    ...masked,
    ...problems,
    ...(certificate.ok ? [] : [{ path: 'auth.certificate', message: certificate.message }]),
    ...(auth === null ? [] : await checkAuth(auth)),
  ]
}

/** Warns of a given secret that is taken all the same. */
export function findSecretWarnings(
  secret: string | undefined,
  { custom }: Pick<SubscriptionSettings, 'custom'>,
): Problem[] {
  const message = secret === undefined ? null : secretWarning(secret, custom?.signature.key)
  return message === null ? [] : [{ path: 'secret', message }]
}

/** Finds headers that the custom scheme would replace: they would never be sent. */
export function findCollisions(
  { custom }: Pick<SubscriptionSettings, 'custom'>,
  given: { headers: Record<string, string> | undefined; auth: DestinationAuth | null },
): Problem[] {
  if (custom === null) return []
  const taken = new Set(customHeaderNames(custom))
  const message = 'is a header of the custom scheme as well; choose another name for one of them'
  const headers = Object.keys(given.headers ?? {}).filter((name) => taken.has(name.toLowerCase()))
  const authHeader = given.auth !== null && 'header' in given.auth ? given.auth.header : undefined
  return [
    ...headers.map((name) => ({ path: `headers.${name}`, message })),
    ...(authHeader !== undefined && taken.has(authHeader.toLowerCase())
      ? [{ path: 'auth.header', message }]
      : []),
  ]
}

/**
 * Finds settings that exclude each other: a profile, its configuration
 * and asymmetric signatures; batches, order and a transform.
 */
export function findProfileProblems(settings: SubscriptionSettings): Problem[] {
  const { profile, custom, asymmetric } = settings
  const problems = pacingProblems(settings)
  if (profile === 'custom' && custom === null) {
    problems.push({
      path: 'custom',
      message: 'is required with "profile": "custom", such as {"signature": {"header": "X-My-Signature"}}',
    })
  }
  if (profile !== 'custom' && custom !== null) {
    problems.push({ path: 'custom', message: 'goes with "profile": "custom" only; send null to drop it' })
  }
  if (asymmetric && !profileSupportsAsymmetric(profile)) {
    problems.push({
      path: 'asymmetric',
      message: `needs a profile with "webhook-signature" (standard, standard-webhooks or cloudevents), not "${profile}"`,
    })
  }
  return problems
}

/** Finds outputs that would need one event, where several share a request. */
export function findBatchedOutputs(
  { url, batchSettings }: Pick<SubscriptionSettings, 'url' | 'batchSettings'>,
  headers: Readonly<Record<string, string>> | undefined,
): Problem[] {
  if (!batchSettings?.enabled) return []
  const message =
    'takes values of one event ({{ … }}), and a batch holds several: must go without batchSettings'
  const named = Object.entries(headers ?? {}).filter(([, value]) => hasOutputs(value))
  return [
    ...(hasOutputs(url) ? [{ path: 'url', message }] : []),
    ...named.map(([name]) => ({ path: `headers.${name}`, message })),
  ]
}

function pacingProblems(settings: SubscriptionSettings): Problem[] {
  const { batchSettings, ordered, orderingKey, transform } = settings
  const problems: Problem[] = []
  if (orderingKey !== null && !ordered) {
    problems.push({ path: 'orderingKey', message: 'goes with "ordered": true only; send null to drop it' })
  }
  const contentType = transform?.contentType ?? JSON_TYPE
  if (batchSettings?.enabled && !isJsonContentType(contentType)) {
    problems.push({
      path: 'batchSettings',
      message: `needs events in JSON, to be listed in one body, and the transform makes ${contentType}; change transform.contentType, or send {"enabled": false}`,
    })
  }
  if (batchSettings?.enabled && signsUnsentBatchId(settings.custom)) {
    problems.push({
      path: 'custom.signature.content',
      message:
        'uses {id}, which a batch of CloudEvents does not carry, so receivers could not verify: must come with "custom.idHeader"',
    })
  }
  return problems
}

/**
 * A batch of CloudEvents is a bare list: the batch's
 * id reaches the receiver in a header or not at all.
 */
function signsUnsentBatchId(custom: SubscriptionSettings['custom']): boolean {
  if (custom === null || custom.payload !== 'cloudevents') return false
  return custom.idHeader === undefined && custom.signature.content.includes('{id}')
}

/** Warns of rules that can never hold, and of a template that fails, for one of the event types. */
export async function findWarnings(
  db: D1Database,
  { workspaceId, settings }: Pick<Subscription, 'workspaceId' | 'settings'>,
): Promise<Problem[]> {
  const { rules, transform, events } = settings
  if (rules === null && transform === null) return []
  const catalogue = await catalogueOf(db, workspaceId, events)
  return [
    ...(rules === null ? [] : ruleWarnings(rules, events, catalogue)),
    ...(transform === null ? [] : templateWarnings(transform, trialEvents(settings, catalogue))),
  ]
}

/** The catalogue's examples, and an event of which nothing is known but its type. */
function trialEvents(
  settings: SubscriptionSettings,
  catalogue: ReadonlyMap<string, KnownType>,
): TrialEvent[] {
  const examples = [...catalogue].flatMap(([type, { example }]) =>
    example === null || example === undefined ? [] : [{ type, data: example, isMadeUp: false }],
  )
  return [...examples, { type: sampleType(undefined, { settings }), data: {}, isMadeUp: true }]
}
