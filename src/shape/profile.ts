import * as z from 'zod'
import { HEADER_NAME, HEADER_NAME_LENGTH_MAX, isFramingHeader } from './headers.ts'

/** Payload formats, each with its signature scheme. */
export const PROFILES = [
  'standard',
  'bigledger',
  'core',
  'ledgerly',
  'marko',
  'cloudevents',
  'standard-webhooks',
  'custom',
] as const
export type Profile = (typeof PROFILES)[number]

/** The forms of a payload: those of all profiles but `custom`, which borrows one. */
export type PayloadForm = Exclude<Profile, 'custom'>
const PAYLOAD_FORMS = PROFILES.filter((profile) => profile !== 'custom')

/** Longest template of a custom scheme, in characters. */
const SCHEME_TEMPLATE_LENGTH_MAX = 200

/** A subscription's `profile`. */
export const profileSchema = z.enum(PROFILES, `must be ${choice(PROFILES)}`).meta({ id: 'Profile' })

/** Signature headers of other profiles are allowed here: a custom scheme may take their place. */
const headerNameSchema = z
  .string()
  .regex(HEADER_NAME, "must be a header name of letters, digits and !#$%&'*+-.^_`|~")
  .max(HEADER_NAME_LENGTH_MAX, `must be at most ${HEADER_NAME_LENGTH_MAX} characters`)
  .refine((name) => !isTaken(name.toLowerCase()), 'must be another name: the relay or the network sets it')

const contentSchema = templateSchema(
  ['id', 'timestamp', 'event', 'body'],
  /^[\t\n\r\x20-\x7e]*$/,
  'must be printable ASCII, tabs and line breaks',
).refine((template) => template.split('{body}').length === 2, 'must contain {body} exactly once')

const valueSchema = templateSchema(
  ['signature', 'timestamp'],
  /^(?! )[\x20-\x7e]*(?<! )$/,
  'must be printable ASCII, without a space at either end',
).refine((template) => template.includes('{signature}'), 'must contain {signature}')

const customFieldsSchema = z.strictObject({
  payload: z.enum(PAYLOAD_FORMS, `must be ${choice(PAYLOAD_FORMS)}`).default('standard'),
  signature: z.strictObject({
    header: headerNameSchema,
    algorithm: z.enum(['sha256', 'sha1', 'sha512'], 'must be "sha256", "sha1" or "sha512"').default('sha256'),
    encoding: z.enum(['hex', 'base64', 'base64url'], 'must be "hex", "base64" or "base64url"').default('hex'),
    content: contentSchema.default('{body}'),
    value: valueSchema.default('{signature}'),
    key: z.enum(['text', 'base64'], 'must be "text" or "base64"').default('text'),
  }),
  timestampHeader: headerNameSchema.optional(),
  idHeader: headerNameSchema.optional(),
  eventHeader: headerNameSchema.optional(),
})

/** Validated `custom` settings. */
export type CustomProfile = z.infer<typeof customFieldsSchema>

/** A subscription's `custom`: the headers and the signature of its own scheme, defaults filled in. */
export const customProfileSchema = customFieldsSchema
  .superRefine(requireVerifiable)
  .superRefine(requireDistinctNames)
  .meta({ id: 'CustomProfileSettings' })

/** A subscription's `custom` as answers show it: nothing is left out. */
export const customProfileAnswerSchema = customFieldsSchema.meta({ id: 'CustomProfile' })

/** The same for schemes that are given anew: stored ones may lack separators, and go on signing as they do. */
export const customInputSchema = customProfileSchema.superRefine(requireSeparators)

/** True for the profiles with a `webhook-signature`: only that header has room for `v1a` (Ed25519). */
export function profileSupportsAsymmetric(profile: Profile): boolean {
  return profile === 'standard' || profile === 'cloudevents' || profile === 'standard-webhooks'
}

/** The form of the profile's payloads; the default one for a `custom` profile that names none. */
export function payloadForm(
  profile: Profile,
  custom: Pick<CustomProfile, 'payload'> | null | undefined,
): PayloadForm {
  return profile === 'custom' ? (custom?.payload ?? 'standard') : profile
}

/**
 * The names of all headers that a custom scheme may set, in lower case, with that of a rotation.
 * Another header of the same name would be joined with it into one value.
 */
export function customHeaderNames(custom: CustomProfile): string[] {
  return namedHeaders(custom).map(({ name }) => name)
}

/** The headers that hold a profile's signatures, in lower case, with those of a rotation. */
export function signatureHeaderNames(profile: Profile, custom: CustomProfile | null): string[] {
  const names = profile === 'custom' ? [custom?.signature.header.toLowerCase() ?? ''] : SIGNATURE_HEADERS
  return names.flatMap((name) => [name, `${name}-next`])
}

const SIGNATURE_HEADERS = ['webhook-signature', 'x-signature', 'x-webhook-signature', 'x-ledgerly-signature']

function namedHeaders(custom: CustomProfile): { path: string[]; name: string }[] {
  const { header } = custom.signature
  const named = [
    { path: ['signature', 'header'], name: header },
    { path: ['signature', 'header'], name: `${header}-Next` },
    ...(['timestampHeader', 'idHeader', 'eventHeader'] as const).map((field) => ({
      path: [field],
      name: custom[field],
    })),
  ]
  return named.flatMap(({ path, name }) => (name === undefined ? [] : [{ path, name: name.toLowerCase() }]))
}

function requireDistinctNames(custom: CustomProfile, context: z.RefinementCtx): void {
  const seen = new Set<string>()
  for (const { path, name } of namedHeaders(custom)) {
    if (seen.has(name)) {
      const message =
        'must be a name of its own, in upper and lower case alike ("<signature header>-Next" is taken too)'
      context.addIssue({ code: 'custom', path, message })
    }
    seen.add(name)
  }
}

/** Forms without the event's id. */
const FORMS_WITHOUT_ID: readonly PayloadForm[] = ['ledgerly', 'marko', 'standard-webhooks']

/**
 * Requires that all signed values reach the receiver: no payload holds the attempt's time, and only
 * some hold the id.
 */
function requireVerifiable(custom: CustomProfile, context: z.RefinementCtx): void {
  const { content, value } = custom.signature
  const issue = (message: string) =>
    context.addIssue({ code: 'custom', path: ['signature', 'content'], message })
  const sendsTime = custom.timestampHeader !== undefined || value.includes('{timestamp}')
  if (content.includes('{timestamp}') && !sendsTime) {
    issue(
      'uses {timestamp} without sending it, so receivers could not verify: must come with "timestampHeader", or {timestamp} in "signature.value"',
    )
  }
  const sendsId = custom.idHeader !== undefined || !FORMS_WITHOUT_ID.includes(custom.payload)
  if (content.includes('{id}') && !sendsId) {
    issue(
      `uses {id} without sending it, so receivers could not verify: must come with "idHeader", as the "${custom.payload}" payload has none`,
    )
  }
}

/** The characters of a signed value; a body may hold any. */
const VALUE_CHARACTERS: Record<string, RegExp | null> = {
  '{id}': /[\w:-]/,
  '{timestamp}': /\d/,
  '{event}': /[\w.-]/,
  '{body}': null,
}

/** Requires that signed values cannot run into each other: one signature must not hold for two ways to part them. */
function requireSeparators(custom: CustomProfile, context: z.RefinementCtx): void {
  const pieces = custom.signature.content.split(/(\{[a-z]+\})/)
  for (let at = 1; at + 2 < pieces.length; at += 2) {
    const [left = '', between = '', right = ''] = pieces.slice(at, at + 3)
    const sets = [VALUE_CHARACTERS[left], VALUE_CHARACTERS[right]].filter((set) => set instanceof RegExp)
    if ([...between].some((character) => sets.some((set) => !set.test(character)))) continue
    const message = `must have a character between ${left} and ${right} that cannot be part of ${right === '{body}' ? left : right}, such as a line break or "|": one signature could hold for other values as well`
    context.addIssue({ code: 'custom', path: ['signature', 'content'], message })
  }
}

function templateSchema(names: readonly string[], characters: RegExp, charactersMessage: string) {
  const known = new RegExp(`\\{(${names.join('|')})\\}`, 'g')
  return z
    .string()
    .max(SCHEME_TEMPLATE_LENGTH_MAX, `must be at most ${SCHEME_TEMPLATE_LENGTH_MAX} characters`)
    .regex(characters, charactersMessage)
    .refine(
      (template) => !/[{}]/.test(template.replace(known, '')),
      `must use braces only for ${names.map((name) => `{${name}}`).join(' ')}`,
    )
}

/** `auth` sets `Authorization`; a subscription's own headers may set it too. */
function isTaken(lowerName: string): boolean {
  return lowerName === 'authorization' || isFramingHeader(lowerName)
}

function choice(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
