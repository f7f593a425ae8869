import { env } from 'cloudflare:workers'
import { createVault } from '../../../../../src/base/secret/vault.ts'
import type { Built, RequestDeps, Unsent } from '../../../../../src/deliver/attempt/request.ts'
import { UNRESTRICTED } from '../../../../../src/destination/rules.ts'
import type { StoredEvent } from '../../../../../src/model/delivery.ts'
import { bodyText, INLINE_BODY_CHARS_MAX } from '../../../../../src/model/event.ts'
import { draftSubscription } from '../../../../../src/subscription/draft.ts'
import { createSubscriptionSchema } from '../../../../../src/subscription/input.ts'
import { CredentialCache } from '../../../../../src/subscription/secrets/credentials.ts'
import type { Subscription } from '../../../../../src/subscription/subscription.ts'
import { SECRET, START_MS } from '../../../../support/rig/builders.ts'

const rules = { allowPrivate: false, ownHostnames: [] }

/** What making requests takes, with a cache of its own, as all drafts have the same number. */
export function requestDeps(): RequestDeps {
  return {
    vault: createVault(env.KEY_ENCRYPTION_KEY),
    now: () => START_MS,
    destinations: rules,
    userAgent: 'Posthorn/test',
    listeners: () => fetch,
    credentials: new CredentialCache(),
    authorize: null,
  }
}

/** Settings as an API call has them. */
export type Settings = Record<string, unknown>

/** A subscription that is not written, with batching unless told otherwise. */
export async function drafted(deps: RequestDeps, input: Settings = {}): Promise<Subscription> {
  const url = 'https://receiver.example.com/hooks'
  const settings = { url, events: ['*'], secret: SECRET, batchSettings: { enabled: true }, ...input }
  const draft = await draftSubscription(
    { ...deps, destinations: rules },
    { workspaceId: 'acme', id: 'webhook_batching', destinations: UNRESTRICTED },
    createSubscriptionSchema.parse(settings),
  )
  if (draft.kind === 'invalid') throw new Error(JSON.stringify(draft.problems))
  return draft.subscription
}

/** A stored event whose `data` is a text; a large one waits in R2. */
export async function stored(seq: number, dataText = '{}', type = 'invoice.paid'): Promise<StoredEvent> {
  const body = bodyText({
    timestamp: '2024-01-15T10:30:00Z',
    livemode: true,
    apiVersion: 'v1',
    data: dataText,
    context: '{}',
  })
  const bodyKey = body.length > INLINE_BODY_CHARS_MAX ? crypto.randomUUID() : null
  if (bodyKey !== null) await env.BODIES.put(bodyKey, body)
  return {
    ...{ workspaceNo: 1, seq, type, acceptedAtMs: START_MS, ownId: `evt_${seq}`, isTest: false },
    ...{ isDispatch: false, deliverAtMs: null, expiresAfterSeconds: null },
    ...{ cancelledAtMs: null, erasedAtMs: null },
    body: bodyKey === null ? body : null,
    bodyKey,
  }
}

/** R2 that counts what is read, and how much of it at once. */
export function watchedBodies() {
  const seen = { reads: 0, atOnce: 0 }
  let underWay = 0
  const bodies = new Proxy(env.BODIES, {
    get: (bucket, name) => {
      const member = Reflect.get(bucket, name) as unknown
      if (typeof member !== 'function') return member
      if (name !== 'get') return member.bind(bucket)
      return async (key: string) => {
        seen.reads++
        seen.atOnce = Math.max(seen.atOnce, ++underWay)
        try {
          return await bucket.get(key)
        } finally {
          underWay--
        }
      }
    },
  })
  return { bodies, seen }
}

/** A request as its receiver sees it; `headers` as they are spelt. Fails the test where there is none. */
export function requestOf<T extends Built | Unsent>(result: T) {
  if (result.kind === 'unsent') throw new Error(result.message)
  const { headers, body, url } = result.request
  return {
    url,
    headers,
    lower: Object.fromEntries(new Headers(headers)),
    body: new TextDecoder().decode(body),
  }
}
