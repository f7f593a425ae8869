import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberSpans } from '../../../src/base/json/members.ts'
import {
  callerIdSchema,
  type DraftEvent,
  defaultPayload,
  draftBody,
  draftEvent,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  tooDeep,
} from '../../../src/model/event.ts'
import { anyPlainObjectText, anySpace } from '../base/json/json-texts.ts'
import { SEED_EVENTS } from '../match/seed-events.ts'

const NOW_ISO = '2026-05-01T12:00:00.000Z'

function publish(text: string): DraftEvent {
  return draftEvent(publishedEventSchema.parse(JSON.parse(text)), text, memberSpans(text, 0), NOW_ISO)
}

function payloadOf(text: string, id = 'evt_1'): string {
  const draft = publish(text)
  const body = draftBody(draft, { livemode: true, apiVersion: 'v1' })
  return defaultPayload({ id, type: draft.type, body })
}

/** Paths of all that is wrong with an event, unknown fields by name. */
function refusals(value: unknown): string[] {
  const parsed = publishedEventSchema.safeParse(value)
  if (parsed.success) return []
  return parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')],
  )
}

describe('the seeds’ example events', () => {
  test.each(SEED_EVENTS)('%s can be published as it stands', (_, text) => {
    expect(refusals(JSON.parse(text))).toEqual([])
  })

  test.each(SEED_EVENTS)('%s arrives with its data to the character', (_, text) => {
    const { start, end } = memberSpans(text, 0).get('data') ?? { start: 0, end: 0 }
    expect(payloadOf(text)).toContain(`"data":${text.slice(start, end)},`)
  })

  test.each(SEED_EVENTS)('%s arrives as what was published', (_, text) => {
    const published = JSON.parse(text) as Record<string, unknown>
    expect(JSON.parse(payloadOf(text, String(published.id)))).toEqual({
      id: published.id,
      event: published.event ?? published.type,
      timestamp: published.timestamp ?? published.created_at,
      livemode: published.livemode ?? true,
      api_version: published.api_version ?? 'v1',
      data: published.data,
      context: published.context ?? {},
    })
  })

  test('there are six of them', () => {
    expect(SEED_EVENTS).toHaveLength(6)
  })
})

describe('an event is refused', () => {
  const fine = { event: 'invoice.paid', data: {} }
  test.each([
    ['without a type', { data: {} }, ['event']],
    ['without data', { event: 'a' }, ['data']],
    ['with an unknown field', { ...fine, colour: 1 }, ['colour']],
    ['with several unknown fields, each named', { ...fine, colour: 1, size: 2 }, ['colour', 'size']],
    ['with a field called __proto__', JSON.parse('{"event":"a","data":{},"__proto__":{}}'), ['__proto__']],
    [
      'whose data is only inherited',
      JSON.parse('{"event":"a","__proto__":{"data":{}}}'),
      ['data', '__proto__'],
    ],
    ['with a field called constructor', { ...fine, constructor: 1 }, ['constructor']],
    ['when "type" differs from "event"', { ...fine, type: 'invoice.sent' }, ['type']],
    [
      'when "created_at" differs from "timestamp"',
      { ...fine, timestamp: '2024-01-15T10:30:00Z', created_at: '2024-01-15T10:30:01Z' },
      ['created_at'],
    ],
    ['with a bad type', { ...fine, event: 'a..b' }, ['event']],
    ['with a bad alias', { type: 'a b', data: {} }, ['type']],
    ['with an empty id', { ...fine, id: '' }, ['id']],
    ['with a dot in its id', { ...fine, id: 'a.b' }, ['id']],
    ['with an id of 129 characters', { ...fine, id: 'a'.repeat(129) }, ['id']],
    ['with a number for an id', { ...fine, id: 1 }, ['id']],
    ['with data that is an array', { ...fine, data: [] }, ['data']],
    ['with data that is null', { ...fine, data: null }, ['data']],
    ['with data that is text', { ...fine, data: '{}' }, ['data']],
    ['with context that is null', { ...fine, context: null }, ['context']],
    ['with livemode in words', { ...fine, livemode: 'true' }, ['livemode']],
    ['with an empty api_version', { ...fine, api_version: '' }, ['api_version']],
    ['with an api_version of 65 characters', { ...fine, api_version: 'v'.repeat(65) }, ['api_version']],
    ['when it is an array', [], ['']],
    ['when it is null', null, ['']],
    ['when it is text', 'event', ['']],
  ])('%s', (_, value, paths) => {
    expect(refusals(value).sort()).toEqual([...paths].sort())
  })

  test.each([
    'now',
    '',
    '2024-01-15',
    '2024-01-15T10:30:00',
    '2024-01-15T10:30Z',
    '2024-01-15 10:30:00Z',
    '2024-13-15T10:30:00Z',
    '2024-02-30T10:30:00Z',
    '2024-01-15T24:30:00Z',
    '2024-01-15T10:30:00+0800',
    '1705314600',
    '2024-01-15T10:30:00Z","livemode":false,"x":"',
    ' 2024-01-15T10:30:00Z',
    '2024-01-15T10:30:00Z\n',
  ])('with the timestamp %j', (timestamp) => {
    expect(refusals({ ...fine, timestamp })).toEqual(['timestamp'])
  })
})

describe('an event is taken', () => {
  const fine = { event: 'invoice.paid', data: {} }
  test.each([
    ['with both aliases the same', { ...fine, type: 'invoice.paid' }],
    ['with only "type"', { type: 'invoice.paid', data: {} }],
    ['with an offset in its timestamp', { ...fine, timestamp: '2024-01-15T18:30:00.123456+08:00' }],
    ['with a leap day', { ...fine, timestamp: '2024-02-29T10:30:00Z' }],
    ['with any workspace_id', { ...fine, workspace_id: { a: [456] } }],
    ['with an id of 128 characters', { ...fine, id: `${'a'.repeat(126)}_-` }],
    ['with __proto__ inside its data', { ...fine, data: JSON.parse('{"__proto__":{"a":1}}') as object }],
  ])('%s', (_, value) => {
    expect(refusals(value)).toEqual([])
  })
})

describe('the default payload', () => {
  test('of every event holds data and context to the character, and parses to what was published', () => {
    const member = fc.tuple(anySpace, anyPlainObjectText, anySpace)
    fc.assert(
      fc.property(member, member, fc.boolean(), ([a, data, b], [c, context, d], livemode) => {
        const text = `{"context":${c}${context.text}${d},"event":"a.b","livemode":${livemode},"data":${a}${data.text}${b}}`
        const payload = payloadOf(text, 'own-1')
        expect(payload).toBe(
          `{"id":"own-1","event":"a.b","timestamp":"${NOW_ISO}","livemode":${livemode},"api_version":"v1","data":${data.text},"context":${context.text}}`,
        )
        expect(JSON.stringify(JSON.parse(payload).data)).toBe(JSON.stringify(JSON.parse(data.text)))
      }),
      { numRuns: 300 },
    )
  })

  test('takes the last of two data members, as the validation did', () => {
    expect(payloadOf('{"event":"a","data":{"n":1},"data":{"n":2.50}}')).toContain('"data":{"n":2.50},')
  })

  test('cannot be broken out of by an api_version', () => {
    const text = JSON.stringify({ event: 'a', api_version: '1","data":{"x":"', data: { n: 1 } })
    expect(JSON.parse(payloadOf(text))).toMatchObject({ api_version: '1","data":{"x":"', data: { n: 1 } })
  })

  test('has an empty context when none was sent', () => {
    expect(JSON.parse(payloadOf('{"event":"a","data":{}}')).context).toEqual({})
  })

  test('takes the workspace’s livemode and api_version where the publisher names none, and only there', () => {
    const defaults = { livemode: false, apiVersion: '2026-11' }
    const stamped = (text: string) => `{${draftBody(publish(text), defaults)}`
    expect(JSON.parse(stamped('{"event":"a","data":{}}'))).toMatchObject({
      livemode: false,
      api_version: '2026-11',
    })
    expect(JSON.parse(stamped('{"event":"a","livemode":true,"api_version":"v9","data":{}}'))).toMatchObject({
      livemode: true,
      api_version: 'v9',
    })
  })

  test('carries the time of acceptance when no timestamp was sent', () => {
    expect(JSON.parse(payloadOf('{"event":"a","data":{}}')).timestamp).toBe(NOW_ISO)
  })
})

describe('what makes two publishes the same', () => {
  const first = publish('{"id":"x","event":"a","data":{"n":1.0}}').content
  test.each([
    ['an alias instead of "event"', '{"id":"x","type":"a","data":{"n":1.0}}'],
    [
      'defaults written out',
      '{"event":"a","livemode":true,"api_version":"v1","data":{"n":1.0},"context":{}}',
    ],
    ['another order and white space between members', '{ "data": {"n":1.0},\n"event":"a" }'],
    ['an ignored workspace_id', '{"event":"a","data":{"n":1.0},"workspace_id":7}'],
  ])('is not changed by %s', (_, text) => {
    expect(publish(text).content).toBe(first)
  })

  test.each([
    ['another type', '{"event":"b","data":{"n":1.0}}'],
    ['another number', '{"event":"a","data":{"n":1.5}}'],
    ['a timestamp', `{"event":"a","timestamp":"${NOW_ISO}","data":{"n":1.0}}`],
    ['another context', '{"event":"a","data":{"n":1.0},"context":{"a":1}}'],
    ['test mode', '{"event":"a","livemode":false,"data":{"n":1.0}}'],
    ['another api_version', '{"event":"a","api_version":"v2","data":{"n":1.0}}'],
  ])('is changed by %s', (_, text) => {
    expect(publish(text).content).not.toBe(first)
  })

  test('does not depend on when it was sent', () => {
    const text = '{"event":"a","data":{}}'
    const later = draftEvent({ event: 'a', data: {} }, text, memberSpans(text, 0), '2030-01-01T00:00:00.000Z')
    expect(later.content).toBe(publish(text).content)
  })
})

describe('nesting', () => {
  const nest = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`
  const deepOf = (text: string) => tooDeep(text, memberSpans(text, 0))

  test('is allowed up to the limit', () => {
    expect(deepOf(`{"data":${nest(NESTING_DEPTH_MAX)},"context":${nest(NESTING_DEPTH_MAX)}}`)).toBeNull()
  })
  test('of data beyond the limit is found', () => {
    expect(deepOf(`{"data":${nest(NESTING_DEPTH_MAX + 1)}}`)).toBe('data')
  })
  test('of context beyond the limit is found', () => {
    expect(deepOf(`{"data":{},"context":${nest(NESTING_DEPTH_MAX + 1)}}`)).toBe('context')
  })
  test('in a string is none', () => {
    expect(deepOf(`{"data":{"a":"${'['.repeat(500)}"}}`)).toBeNull()
  })
})

test.each(['', 'a.b', 'a b', 'ä', 'a\n', 'a'.repeat(129), 'a/b'])('%j is no id a caller may choose', (id) => {
  expect(callerIdSchema.safeParse(id).success).toBe(false)
})
