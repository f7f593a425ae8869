import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BatchToRender, renderBatch } from '../../../../src/deliver/attempt/payload/batch-renderer.ts'
import { PayloadRenderer } from '../../../../src/deliver/attempt/payload/payload-renderer.ts'
import type { StoredEvent } from '../../../../src/model/delivery.ts'
import {
  type CompiledTransform,
  compileTransform,
  type TemplateInput,
} from '../../../../src/shape/transform.ts'
import { drafted, requestDeps, type Settings, stored, watchedBodies } from '../paced/batch/batches.ts'

const BATCH_ID = 'batch_123456789'
const BOUND_AT_MS = Date.UTC(2024, 0, 15, 10, 31, 30)
const HEAD = '{"batch":true,"events":['
const TAIL = `],"batchId":"${BATCH_ID}","batchTimestamp":"2024-01-15T10:31:30.000Z"}`
/** What JSON.parse would damage. */
const DATA = '{ "object": {"total":2567.50,"n":12345678901234567890,"name":"Zoë \\u00e9 🧾"} }'
const LARGE = `{"text":"${'é'.repeat(70_000)}","total":2567.50}`

const utf8 = (text: string) => new TextEncoder().encode(text).length

async function render(
  events: readonly StoredEvent[],
  input: Settings = {},
  change: Partial<BatchToRender> = {},
  bodies: R2Bucket = env.BODIES,
) {
  const subscription = await drafted(requestDeps(), input)
  const { transform } = subscription.settings
  const rendered = await renderBatch(new PayloadRenderer(bodies), {
    batchId: BATCH_ID,
    boundAtMs: BOUND_AT_MS,
    members: events.map((event) => ({ event })),
    subscription,
    transform: transform === null ? null : compileTransform(transform),
    maxBytes: 1_000_000,
    ...change,
  })
  const { payload, ...shares } = rendered
  const text = payload === null ? null : new TextDecoder().decode(payload.bytes)
  return { ...shares, payload, text }
}

/** What each event would be sent as without batches. */
async function alone(events: readonly StoredEvent[], input: Settings): Promise<string[]> {
  const renderer = new PayloadRenderer(env.BODIES)
  const subscription = await drafted(requestDeps(), input)
  const { transform } = subscription.settings
  const compiled = transform === null ? null : compileTransform(transform)
  const texts: string[] = []
  for (const event of events) {
    const rendered = await renderer.render(event, subscription, compiled)
    if (rendered.kind !== 'rendered') throw new Error(rendered.kind)
    texts.push(new TextDecoder().decode(rendered.payload.bytes))
  }
  return texts
}

const three = () => Promise.all([stored(1, DATA), stored(2, '{}', 'payment.received'), stored(3, DATA)])

const FORMS: [string, Settings, 'default' | 'kept'][] = [
  ['the default', {}, 'default'],
  ['bigledger', { profile: 'bigledger' }, 'default'],
  ['core', { profile: 'core' }, 'kept'],
  ['ledgerly', { profile: 'ledgerly' }, 'kept'],
  ['standard-webhooks', { profile: 'standard-webhooks' }, 'kept'],
  ['a transform', { transform: { template: { t: '{{data.object.total}}', all: '{{data}}' } } }, 'kept'],
  [
    'a transform to another JSON type',
    { transform: { template: '[{{data.object.n | json}}]', contentType: 'application/vnd.acme+json' } },
    'kept',
  ],
]

/** A transform that gives what a function gives, and takes no turns. */
function transformBy(render: (input: TemplateInput) => ReturnType<CompiledTransform>): CompiledTransform {
  return Object.assign(render, {
    // biome-ignore lint/correctness/useYield: it ends at once.
    inTurns: function* (input: TemplateInput) {
      return render(input)
    },
  })
}

describe('the payload of a batch', () => {
  test.each(FORMS)(
    'in the form of %s is seed 002’s, with what each event is alone',
    async (_, input, kind) => {
      const events = await three()
      const { payload, text, ...shares } = await render(events, input)
      expect(text).toBe(HEAD + (await alone(events, input)).join(',') + TAIL)
      expect(payload).toMatchObject({ contentType: 'application/json', kind })
      expect(payload?.text).toBe(kind === 'default' ? null : text)
      expect(shares).toEqual({ carried: [1, 2, 3], failed: [], overflow: [] })
    },
  )

  test.each<[string, Settings]>([
    ['the profile', { profile: 'cloudevents' }],
    [
      'a transform',
      { transform: { template: { specversion: '1.0' }, contentType: 'application/cloudevents+json' } },
    ],
  ])('of CloudEvents by %s is their list', async (_, input) => {
    const events = await three()
    const { payload, text } = await render(events, input)
    expect(text).toBe(`[${(await alone(events, input)).join(',')}]`)
    expect(payload).toMatchObject({ contentType: 'application/cloudevents-batch+json', kind: 'kept', text })
  })

  test.each(FORMS.slice(0, 3))('in the form of %s holds large texts to the byte', async (_, input) => {
    const events = await Promise.all([stored(1, DATA), stored(2, LARGE), stored(3, LARGE), stored(4, DATA)])
    const { bodies, seen } = watchedBodies()
    const { text, carried } = await render(events, input, {}, bodies)
    expect(text === HEAD + (await alone(events, input)).join(',') + TAIL).toBe(true)
    expect(carried).toEqual([1, 2, 3, 4])
    expect(seen).toEqual({ reads: 2, atOnce: 1 })
  })

  test('is what a default batch was at first, whatever the settings have become since', async () => {
    const events = await three()
    const first = await render(events)
    const change = { isDefault: true }
    const transform = { template: { a: 1 } }
    for (const input of [{ transform }, { profile: 'cloudevents' as const }]) {
      const again = await render(events, input, change)
      expect([again.text, again.payload?.kind]).toEqual([first.text, 'default'])
    }
  })
})

describe('a member that cannot be rendered', () => {
  const template = { a: '{% if data.bad %}{% for i in (1..20000) %}{% endfor %}{% endif %}{{data.n}}' }

  test('fails alone with its reason, and the others arrive', async () => {
    const events = [await stored(1, '{"n":1}'), await stored(2, '{"bad":true}'), await stored(3, '{"n":3}')]
    const { text, ...shares } = await render(events, { transform: { template } })
    expect(text).toBe(`${HEAD}{"a":"1"},{"a":"3"}${TAIL}`)
    expect(shares).toMatchObject({
      carried: [1, 3],
      failed: [{ seq: 2, fault: 'template', message: expect.stringMatching(/^template\.a: must/) }],
      overflow: [],
    })
  })

  test.each(FORMS.slice(0, 3))(
    'because its large text is gone fails alone in the form of %s too',
    async (_, input) => {
      const events = [await stored(1), await stored(2, LARGE), await stored(3)]
      await env.BODIES.delete(events[1]?.bodyKey ?? '')
      const { carried, failed } = await render(events, input)
      expect(carried).toEqual([1, 3])
      const message = 'The text of the event is missing from storage.'
      expect(failed).toEqual([{ seq: 2, fault: 'internal', message }])
    },
  )

  test('for a transform that stopped being JSON is refused rather than spliced', async () => {
    const transform = transformBy(() => ({ kind: 'rendered', text: 'a,b', contentType: 'text/csv' }))
    const { payload, failed } = await render([await stored(1)], {}, { transform })
    expect(payload).toBeNull()
    expect(failed).toEqual([{ seq: 1, fault: 'template', message: expect.stringContaining('text/csv') }])
  })

  test('leaves no payload where it is the only one', async () => {
    const events = [await stored(1, '{"bad":true}'), await stored(2, '{"bad":true}')]
    const { payload, ...shares } = await render(events, { transform: { template } })
    expect(payload).toBeNull()
    expect(shares).toMatchObject({ carried: [], failed: [{ seq: 1 }, { seq: 2 }], overflow: [] })
  })

  test('is not what R2 failing for a moment makes of it: that is everybody’s, and is told', async () => {
    const bodies = { get: () => Promise.reject(new Error('R2 failed')) } as unknown as R2Bucket
    await expect(render([await stored(1), await stored(2, LARGE)], {}, {}, bodies)).rejects.toThrow(
      'R2 failed',
    )
  })
})

/** Members by what they become: a text, or nothing. */
const outcomes = fc.array(
  fc.option(
    fc
      .string({ unit: fc.constantFrom('a', 'é', '€', '😀'), maxLength: 20 })
      .map((text) => JSON.stringify(text)),
    { freq: 4 },
  ),
  { minLength: 1, maxLength: 8 },
)

/** The same by the letter: member by member, counting the bytes of whole bodies. */
function naive(texts: readonly (string | null)[], maxBytes: number) {
  const [carried, failed]: [number[], number[]] = [[], []]
  const bodyOf = (seqs: readonly number[]) => HEAD + seqs.map((seq) => texts[seq]).join(',') + TAIL
  let stop = texts.length
  for (const [seq, text] of texts.entries()) {
    const isFull = carried.length > 0 && utf8(bodyOf(carried)) > maxBytes
    const isTooMuch = text !== null && carried.length > 0 && utf8(bodyOf([...carried, seq])) > maxBytes
    if (isFull || isTooMuch) {
      stop = seq
      break
    }
    ;(text === null ? failed : carried).push(seq)
  }
  return {
    carried,
    failed,
    overflow: [...texts.keys()].slice(stop),
    text: carried.length === 0 ? null : bodyOf(carried),
  }
}

describe('the limit of bytes', () => {
  test('lets the longest row of first events through that fits, or one, whatever fails among them', async () => {
    const subscription = await drafted(requestDeps())
    const blank = await stored(0)
    const property = fc.asyncProperty(outcomes, fc.nat(300), async (texts, spare) => {
      const maxBytes = utf8(HEAD + TAIL) - 20 + spare
      let at = 0
      const transform = transformBy(() => {
        const text = texts[at++] ?? null
        return text === null
          ? { kind: 'failed', path: 'template', message: 'no' }
          : { kind: 'rendered', text, contentType: 'application/json' }
      })
      const members = texts.map((_, seq) => ({ event: { ...blank, seq } }))
      const label = { batchId: BATCH_ID, boundAtMs: BOUND_AT_MS }
      const { payload, carried, failed, overflow } = await renderBatch(new PayloadRenderer(env.BODIES), {
        ...{ ...label, members, subscription, transform, maxBytes },
      })
      const text = payload === null ? null : new TextDecoder().decode(payload.bytes)
      expect(payload?.text ?? null).toBe(text)
      expect({ carried, failed: failed.map(({ seq }) => seq), overflow, text }).toEqual(
        naive(texts, maxBytes),
      )
    })
    await fc.assert(property, { numRuns: 500 })
  })

  test.each<[string, Settings]>([
    ['default', {}],
    ['shaped', { profile: 'core' }],
  ])('is exact to the byte for %s payloads, inline and large', async (_, input) => {
    for (const last of [DATA, LARGE]) {
      const events = [await stored(1, DATA), await stored(2, '{"name":"日本"}'), await stored(3, last)]
      const bytes = utf8(HEAD + (await alone(events, input)).join(',') + TAIL)
      const exact = await render(events, input, { maxBytes: bytes })
      expect([exact.payload?.bytes.length, exact.carried]).toEqual([bytes, [1, 2, 3]])
      const less = await render(events, input, { maxBytes: bytes - 1 })
      expect([less.carried, less.overflow]).toEqual([[1, 2], [3]])
      expect(less.text).toBe(HEAD + (await alone(events.slice(0, 2), input)).join(',') + TAIL)
    }
  })

  test('lets one event through that is larger by itself, and reads nothing behind it', async () => {
    const events = await Promise.all([1, 2, 3].map((seq) => stored(seq, LARGE)))
    const { bodies, seen } = watchedBodies()
    const { carried, overflow } = await render(events, {}, { maxBytes: 1000 }, bodies)
    expect([carried, overflow, seen.reads]).toEqual([[1], [2, 3], 1])
  })

  test('leaves to another batch all behind one that is larger by itself, those that would fail too', async () => {
    const transform = transformBy(({ text }) => {
      if (text.includes('bad')) return { kind: 'failed', path: 'template', message: 'no' }
      // In characters there is room for another, in bytes there is none for itself.
      return { kind: 'rendered', text: `"${'€'.repeat(20)}"`, contentType: 'application/json' }
    })
    const events = await Promise.all(
      ['{"bad":1}', '{}', '{"bad":1}', '{}'].map((data, seq) => stored(seq, data)),
    )
    const { carried, failed, overflow } = await render(
      events,
      {},
      { transform, maxBytes: utf8(HEAD + TAIL) + 50 },
    )
    expect([carried, failed.map(({ seq }) => seq), overflow]).toEqual([[1], [0], [2, 3]])
  })

  test('keeps large texts behind the first that does not fit unread', async () => {
    const events = await Promise.all([1, 2, 3, 4, 5].map((seq) => stored(seq, LARGE)))
    const { bodies, seen } = watchedBodies()
    const { carried, overflow } = await render(events, {}, { maxBytes: 300_000 }, bodies)
    expect([carried, overflow, seen.reads]).toEqual([[1, 2], [3, 4, 5], 3])
  })
})
