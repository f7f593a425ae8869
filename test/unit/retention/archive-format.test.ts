import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ArchivedEvent,
  archiveHeader,
  archiveKey,
  archiveLine,
  isArchiveHeader,
  parseArchiveLine,
} from '../../../src/retention/archive/archive-format.ts'

const WORKSPACE_NO = 7
const EVENT: ArchivedEvent = {
  seq: 1_234_567,
  type: 'invoice.paid',
  acceptedAtMs: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
  ownId: null,
  contentHash: null,
  origin: 0,
  deliverAtMs: null,
  expiresAfterSeconds: 60,
  cancelledAtMs: null,
  erasedAtMs: null,
  fanout: [3, -4],
  body: '"timestamp":"2026-02-03T04:05:06Z","livemode":true,"api_version":"v1","data":{"total":2567.50,"n":12345678901234567890},"context":{}}',
  deliveries: [
    {
      subscriptionNo: 3,
      subscriptionId: 'webhook_1',
      state: 2,
      error: 'http_status',
      attempts: [
        {
          ...{ n: 1, atMs: 1, status: null, error: 'timeout_headers', latencyMs: 10_000 },
          ...{ response: null, detail: null },
        },
        {
          ...{ n: 2, atMs: 2, status: 500, error: 'http_status', latencyMs: 3 },
          ...{ response: 'no\n', detail: '[1,2,500]' },
        },
      ],
    },
  ],
}

test('a line says what its readers look for: ids, times, the payload as it was sent, every attempt', () => {
  const line = JSON.parse(archiveLine(WORKSPACE_NO, EVENT)) as Record<string, unknown>
  expect(line).toMatchObject({
    id: expect.stringMatching(/^evt_/),
    event: 'invoice.paid',
    acceptedAt: '2026-02-03T04:05:06.789Z',
    payload: expect.stringContaining('"total":2567.50,"n":12345678901234567890'),
    deliveries: [
      {
        id: expect.stringMatching(/^log_/),
        subscription: 'webhook_1',
        status: 'failed',
        attempts: [
          { attempt: 1, error: 'timeout_headers' },
          { attempt: 2, status: 500, response: 'no\n' },
        ],
      },
    ],
  })
  expect(JSON.parse(line['payload'] as string)).toMatchObject({ id: line['id'], event: 'invoice.paid' })
})

test('a line is one line, whatever the texts hold', () => {
  const body = '"data":{"text":"a\\nb\u2028"}}'
  expect(archiveLine(WORKSPACE_NO, { ...EVENT, body })).not.toContain('\n')
})

test('what was written is read back', () => {
  const ms = fc.integer({ min: 0, max: 4e12 })
  const text = fc.string({ unit: 'binary' })
  const attempt = fc.record({
    n: fc.integer({ min: 1, max: 100 }),
    atMs: ms,
    status: fc.option(fc.integer({ min: 100, max: 599 })),
    error: fc.option(text),
    latencyMs: fc.option(fc.nat()),
    response: fc.option(text),
    detail: fc.option(text),
  })
  const event: fc.Arbitrary<ArchivedEvent> = fc.record({
    seq: fc.integer({ min: 1, max: 2 ** 44 - 1 }),
    type: fc.constantFrom('a', 'invoice.paid'),
    acceptedAtMs: ms,
    ownId: fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)),
    contentHash: fc.option(fc.base64String()),
    origin: fc.constantFrom(0, 1, 2),
    deliverAtMs: fc.option(ms),
    expiresAfterSeconds: fc.option(fc.nat()),
    cancelledAtMs: fc.option(ms),
    erasedAtMs: fc.option(ms),
    fanout: fc.array(fc.integer()),
    body: fc.option(text),
    deliveries: fc.array(
      fc.record({
        subscriptionNo: fc.integer({ min: 1, max: 1e9 }),
        subscriptionId: text,
        state: fc.constantFrom(0, 1, 2, 3),
        error: fc.option(text),
        attempts: fc.array(attempt, { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  })
  fc.assert(
    fc.property(event, (given) => {
      expect(parseArchiveLine(WORKSPACE_NO, archiveLine(WORKSPACE_NO, given))).toEqual(given)
    }),
  )
})

test('a line of another workspace is not read: its ids name other rows', () => {
  expect(parseArchiveLine(8, archiveLine(WORKSPACE_NO, EVENT))).toBeNull()
})

test.each([
  ['nothing', ''],
  ['no JSON', '{"seq":1'],
  ['null', 'null'],
  ['a number', '1'],
  ['a header', archiveHeader('ws', 1)],
  ['an unknown status', archiveLine(WORKSPACE_NO, EVENT).replace('"failed"', '"lost"')],
  ['an event of no workspace', archiveLine(WORKSPACE_NO, { ...EVENT, seq: -3 })],
  ['a number beyond all', archiveLine(WORKSPACE_NO, { ...EVENT, seq: 2 ** 44 })],
  [
    'a subscription below all',
    archiveLine(WORKSPACE_NO, EVENT).replace('"subscriptionNo":3', '"subscriptionNo":-3'),
  ],
  ['another payload', archiveLine(WORKSPACE_NO, EVENT).replace('{\\"id\\"', '{\\"ID\\"')],
])('%s is no event', (_, line) => {
  expect(parseArchiveLine(WORKSPACE_NO, line)).toBeNull()
})

test('a header names its workspace, format and version, and no other is taken', () => {
  const header = archiveHeader('ws', 3)
  expect(isArchiveHeader(header, 'ws')).toBe(true)
  expect(isArchiveHeader(header, 'other')).toBe(false)
  expect(isArchiveHeader(header.replace('"version":1', '"version":2'), 'ws')).toBe(false)
  expect(isArchiveHeader('', 'ws')).toBe(false)
})

test('a key is below its workspace and tells the range', () => {
  expect(archiveKey('ws_1', { firstSeq: 5, lastSeq: 9 }, 'x')).toBe('archive/ws_1/5-9-x.ndjson.gz')
})
