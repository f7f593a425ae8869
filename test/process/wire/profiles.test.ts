import { createHmac, createPublicKey, type JsonWebKey, verify as verifyBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CloudEvent, HTTP } from 'cloudevents'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readExampleEvents } from '../../../scripts/demo/example-events.ts'
import { librarySecret } from '../../../scripts/demo/signatures.ts'
import { PROFILES, type Profile, profileSupportsAsymmetric } from '../../../src/shape/profile.ts'
import { verify } from '../../../src/signature/index.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'
import {
  CUSTOM,
  EXACT_DATA,
  EXACT_EVENT,
  HEADERS,
  MEMBERS,
  ROUTING_HEADERS,
} from '../support/profile-wire.ts'
import { RelayApi, type Subscribed } from '../support/relay-api.ts'
import { askProgram, type Check, isInstalled, seedReceivers } from '../support/seed-receivers.ts'
import {
  type Reader,
  type SignatureCase,
  type Subject,
  signatureCases,
  withFlippedBit,
} from '../support/signature-cases.ts'

const SECRETS = [
  'your-webhook-secret-key',
  `whsec_${Buffer.alloc(32, 0xfb).toString('base64')}`,
  // Seed 001's 'whsec_'.Str::random(32)
  'whsec_Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4E',
  'Schlüssel-密钥-🔑',
]
/** Old and new, in every kind of pair: with and without a prefix, before and after. */
const ROTATIONS = [
  [SECRETS[0] ?? '', SECRETS[1] ?? ''],
  [SECRETS[1] ?? '', SECRETS[3] ?? ''],
] as const

const EVENTS = [...readExampleEvents().map(({ text }) => text), EXACT_EVENT]

const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-profiles-'))
const subjects: Subject[] = []
let relay: RelayProcess
let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
  relay = await RelayProcess.start({ stateDir })
  const steady = new RelayApi(relay, 'steady')
  const rotating = new RelayApi(relay, 'rotating')
  for (const profile of PROFILES) {
    for (const [i, secret] of SECRETS.entries()) {
      subjects.push(await subscribe(steady, `/steady/${profile}/${i}`, profile, secret, i === 1))
    }
    for (const [i, [old, secret]] of ROTATIONS.entries()) {
      const before = await subscribe(rotating, `/rotating/${profile}/${i}`, profile, old, i === 1)
      const rotated = await rotating.call<Subscribed>('POST', `/webhooks/${before.id}/rotate-secret`, {
        secret,
      })
      expect(rotated.data.secret).toBe(secret)
      subjects.push({ ...before, secret, old, publicKeys: rotated.data.publicKeys ?? [] })
    }
  }
  for (const api of [steady, rotating]) for (const text of EVENTS) await api.publish(text)
  const isComplete = () =>
    subjects.every(({ path }) => receiver.requests(path).filter(isAnswered).length >= EVENTS.length)
  expect(await waitUntil(isComplete, 40_000)).toBe(true)
})

afterAll(async () => {
  await relay?.stop()
  await receiver?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

const isAnswered = ({ status }: { status: number | null }) => status !== null

async function subscribe(
  api: RelayApi,
  at: string,
  profile: Profile,
  secret: string,
  mayBeAsymmetric: boolean,
): Promise<Subject> {
  const asymmetric = mayBeAsymmetric && profileSupportsAsymmetric(profile)
  const custom = profile === 'custom' ? { custom: CUSTOM } : {}
  const settings = { url: receiver.url(at), profile, secret, asymmetric, ...custom }
  const { id, publicKeys = [] } = await api.subscribe(settings)
  return { id, path: at, profile, secret, old: null, publicKeys }
}

describe.each(PROFILES)('the profile %s', (profile) => {
  test('sends its own headers and no others, and sends each event once', () => {
    for (const { path, old } of subjects.filter((subject) => subject.profile === profile)) {
      const own = old === null ? HEADERS[profile] : [...HEADERS[profile], ...nextOf(HEADERS[profile])]
      const wanted = [...own, ...ROUTING_HEADERS]
      expect(receiver.requests(path)).toHaveLength(EVENTS.length)
      for (const { headers } of receiver.requests(path)) {
        const names = Object.keys(headers).filter((name) => /^(webhook-|x-)/.test(name))
        expect(names.sort()).toEqual(wanted.sort())
        expect(headers['content-type']).toBe(
          `application/${profile === 'cloudevents' ? 'cloudevents+' : ''}json`,
        )
        expect(headers['user-agent']).toMatch(/^Posthorn\//)
      }
    }
  })

  test('has its own payload, and data and context as the text they were sent as', () => {
    for (const { path } of subjects.filter((subject) => subject.profile === profile)) {
      const bodies = receiver.requests(path).map(({ body }) => String(body))
      const exact = bodies.find((body) => body.includes('invoice.exact')) ?? ''
      expect(Object.keys(JSON.parse(exact) as object)).toEqual(MEMBERS[profile])
      expect(exact).toContain(profile === 'core' ? `"data":{"object":${EXACT_DATA}}` : `"data":${EXACT_DATA}`)
      // An attribute of a CloudEvent is a text.
      if (MEMBERS[profile].includes('context')) expect(exact).toMatch(/"context":"?\{\\?"n\\?": 10\.00\}/)
    }
  })
})

type Receives = Reader & {
  name: string
  profiles: readonly Profile[]
  accepts: (check: Check) => boolean | Promise<boolean>
}

const LIBRARY = {
  profiles: ['standard', 'standard-webhooks', 'cloudevents'] as const,
  header: 'webhook-signature',
}
const accepting = (verifying: () => unknown) => {
  try {
    verifying()
    return true
  } catch {
    return false
  }
}
const LIBRARIES: Receives[] = [
  {
    ...{ name: 'standardwebhooks', ...LIBRARY },
    accepts: ({ body, headers, secret }) =>
      accepting(() => new Webhook(librarySecret(secret)).verify(body, headers)),
  },
  {
    ...{ name: 'svix', ...LIBRARY },
    accepts: ({ body, headers, secret }) =>
      accepting(() => new SvixWebhook(librarySecret(secret)).verify(body, headers)),
  },
  {
    ...{ name: "the custom scheme's own words", profiles: ['custom'], header: 'x-acme-signature' },
    accepts: ({ body, headers: h, secret }) => {
      const head = `${h['x-acme-event']}|${h['x-acme-id']}|${h['x-acme-time']}|`
      const signature = createHmac('sha512', secret).update(head).update(body).digest('base64')
      return h['x-acme-signature'] === `t=${h['x-acme-time']};s=${signature}`
    },
  },
  ...Object.entries(HEADERS).map(([profile, headers]) => ({
    ...{ name: `posthorn/verify for ${profile}`, profiles: [profile as Profile] },
    header: headers.find((name) => name.endsWith('-signature')) ?? '',
    readsNext: true,
    accepts: async ({ body, headers, secret }: Check) => {
      const custom = profile === 'custom' ? { custom: CUSTOM } : {}
      const result = await verify({ body, headers, secret, profile: profile as Profile, ...custom })
      if (result.ok) expect(result.event).toEqual(JSON.parse(String(body)))
      return result.ok
    },
  })),
]

describe('real deliveries are believed, during a rotation too, and none with a bit flipped', () => {
  test.each(LIBRARIES)('by $name', async (by) => {
    for (const { check, expected, what } of casesFor(by)) {
      expect(await by.accepts(check), what).toBe(expected)
    }
  })

  for (const by of seedReceivers()) {
    const program = 'program' in by && !isInstalled(by.program) ? by.program : null
    const name = program === null ? by.name : `${by.name} (NOT CHECKED: ${program} is not installed here)`
    test.skipIf(program !== null)(`by ${name}`, () => {
      const cases = casesFor(by)
      const said =
        'accepts' in by
          ? cases.map(({ check }) => accepting(() => by.accepts(check) || fail()))
          : programSays(by.program).get(by.name)
      expect(cases.map(({ what }, i) => [what, said?.[i]])).toEqual(
        cases.map(({ what, expected }) => [what, expected]),
      )
    })
  }
})

function fail(): never {
  throw new Error('refused')
}

const said = new Map<string, Map<string, boolean[]>>()

/** What all receivers in a language say to all their cases; asks in one process, once. */
function programSays(program: 'php' | 'python3'): Map<string, boolean[]> {
  const known = said.get(program)
  if (known !== undefined) return known
  const receivers = seedReceivers().flatMap((each) =>
    'program' in each && each.program === program ? [each] : [],
  )
  const checks = receivers.map((by) =>
    casesFor(by).map(({ check }) => ({ ...check, expression: by.expression })),
  )
  const answers = askProgram(program, checks.flat())
  const byName = new Map(
    receivers.map(({ name }, i) => [name, answers.splice(0, checks[i]?.length)] as const),
  )
  said.set(program, byName)
  return byName
}

test('the cloudevents SDK reads every delivery of its profile', () => {
  for (const { path } of subjects.filter(({ profile }) => profile === 'cloudevents')) {
    for (const { headers, body, id } of receiver.requests(path)) {
      const event = HTTP.toEvent({ headers, body: String(body) }) as CloudEvent<unknown>
      expect(event.validate()).toBe(true)
      const { type, data } = JSON.parse(String(body)) as { type: string; data: unknown }
      expect(event).toMatchObject({ id, type, data, specversion: '1.0' })
      expect(event.source).toBe(`/posthorn/workspaces/${path.split('/')[1]}`)
    }
  }
})

test('v1a signatures verify under the published keys, by node:crypto and posthorn/verify', async () => {
  const asymmetric = subjects.filter(({ publicKeys }) => publicKeys.length > 0)
  expect(asymmetric.map(({ old, publicKeys }) => [old !== null, publicKeys.length])).toEqual(
    LIBRARY.profiles.flatMap(() => [
      [false, 1],
      [true, 2],
    ]),
  )
  for (const { id, path, publicKeys, profile } of asymmetric) {
    const keys = await publishedKeys(id)
    expect(keys.map(({ x }) => x)).toEqual(publicKeys.map(rawKey))
    for (const { headers, body, id: eventId } of receiver.requests(path)) {
      const head = `${eventId}.${headers['webhook-timestamp']}.`
      const signatures = (headers['webhook-signature'] ?? '').split(' ').flatMap((text) => {
        return text.startsWith('v1a,') ? [Buffer.from(text.slice(4), 'base64')] : []
      })
      expect(signatures).toHaveLength(keys.length)
      for (const [content, believed] of [
        [Buffer.concat([Buffer.from(head), body]), 1],
        [Buffer.concat([Buffer.from(head), withFlippedBit(body)]), 0],
      ] as const) {
        for (const key of keys.map((jwk) => createPublicKey({ key: jwk, format: 'jwk' }))) {
          const good = signatures.filter((signature) => verifyBytes(null, content, key, signature))
          expect(good).toHaveLength(believed)
        }
      }
      const named = profile as (typeof LIBRARY.profiles)[number]
      for (const publicKey of publicKeys) {
        expect(await verify({ body, headers, publicKey, profile: named })).toMatchObject({ ok: true })
      }
    }
  }
})

/** Receivers have no API key. */
async function publishedKeys(id: string): Promise<JsonWebKey[]> {
  const response = await fetch(`${relay.url}/jwks/${id}`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { keys: JsonWebKey[] }).keys
}

/** The key in `whpk_…`, as a JSON Web Key has it. */
function rawKey(publicKey: string): string {
  return Buffer.from(publicKey.replace('whpk_', ''), 'base64').toString('base64url')
}

/** What a rotation adds: headers with room for one signature have a second one with the new secret's. */
function nextOf(headers: readonly string[]): string[] {
  const sole = headers.filter((name) => /^x-(?!ledgerly-).*signature$/.test(name))
  return sole.map((name) => `${name}-next`)
}

/** What every delivery that somebody's code is written for comes to there. */
function casesFor({ profiles, ...reader }: Reader & { profiles: readonly Profile[] }): SignatureCase[] {
  const own = subjects.filter(({ profile }) => profiles.includes(profile))
  expect(own).toHaveLength(profiles.length * (SECRETS.length + ROTATIONS.length))
  return own.flatMap((subject) =>
    receiver.requests(subject.path).flatMap((delivery) => signatureCases(subject, delivery, reader)),
  )
}
