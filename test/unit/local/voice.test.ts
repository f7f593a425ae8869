import { describe, expect, test } from 'vitest'
import { Voice } from '../../../scripts/local/voice/voice.ts'

const START_MS = Date.UTC(2026, 10, 21, 12, 0, 0)

/** A voice, and what it has said without the hour. */
function listen() {
  const said: string[] = []
  const voice = new Voice((line) => void said.push(line.replace(/^(\d\d:){2}\d\d {2}/, '')))
  const hear = (event: string, fields: object, atMs = START_MS) =>
    voice.hear({ level: 'log', message: JSON.stringify({ event, ...fields }), timestamp: atMs })
  return { said, voice, hear }
}

const RECEIVED = {
  ...{ workspace: 'default', requestId: 'req_1', eventId: 'evt_1', events: 1, bytes: 50, accepted: 1 },
  ...{ duplicates: 0, rejected: 0, matched: 2, durationMs: 4 },
}
const ATTEMPTED = {
  ...{ workspace: 'default', subscriptionId: 'webhook_a', eventId: 'evt_1', eventType: 'invoice.paid' },
  ...{ deliveryId: 'log_1', isTest: false, host: 'shop.example', batchId: null, batchSize: 1, attempt: 1 },
  ...{ success: true, status: 200, error: null, latencyMs: 12, nextAttemptAtMs: null },
}
const FAILED = { ...ATTEMPTED, success: false, status: null, error: 'connection' }

test('what the Worker has only counted is in the summary', () => {
  const { said, voice, hear } = listen()
  const withheld = {
    lines: 7,
    published: 300,
    delivered: 200,
    requests: 2,
    latencySumMs: 30,
    latencyMaxMs: 25,
  }
  hear('lines.withheld', withheld)
  hear('lines.withheld', withheld)
  voice.tick(START_MS + 1000)
  expect(said).toEqual([
    'busy       600 events published; 400 deliveries made (15 ms on average, 25 ms at most)',
  ])
})

describe('a sentence', () => {
  test.each([
    ['a publish', 'event.received', RECEIVED, 'published  evt_1: 2 deliveries to make, 4 ms'],
    [
      'a publish of several events',
      'event.received',
      { ...RECEIVED, workspace: 'acme', eventId: null, events: 4, accepted: 2, duplicates: 1, rejected: 1 },
      'published  4 events in acme: 2 deliveries to make, 1 duplicate, 1 rejected, 4 ms',
    ],
    [
      'a publish that nothing asks for',
      'event.received',
      { ...RECEIVED, matched: 0 },
      'published  evt_1: no subscription matches (why: GET /api/v1/events/evt_1/deliveries), 4 ms',
    ],
    [
      'a delivery',
      'delivery.attempted',
      ATTEMPTED,
      'delivered  invoice.paid evt_1 to shop.example: 200 in 12 ms',
    ],
    [
      'a delivery at a later attempt',
      'delivery.attempted',
      { ...ATTEMPTED, attempt: 3, isTest: true },
      'delivered  invoice.paid evt_1 (test) to shop.example: 200 in 12 ms, at attempt 3',
    ],
    [
      'a batch',
      'delivery.attempted',
      { ...ATTEMPTED, batchId: 'batch_1', batchSize: 40 },
      'delivered  batch_1 of 40 events to shop.example: 200 in 12 ms',
    ],
    [
      'a last failure',
      'delivery.attempted',
      { ...FAILED, attempt: 4, status: 500, error: 'http_status' },
      'failed     invoice.paid evt_1 to shop.example: 500 in 12 ms; attempt 4, the last',
    ],
    [
      'a failure that blocks its key',
      'delivery.attempted',
      { ...FAILED, nextAttemptAtMs: 253_402_300_799_999 },
      'failed     invoice.paid evt_1 to shop.example: connection in 12 ms; attempt 1, the last; later events of its key wait',
    ],
    [
      'a delivery that is not made',
      'delivery.settled',
      { ...ATTEMPTED, state: 'skipped', reason: 'expired' },
      'skipped    invoice.paid evt_1 to webhook_a: expired',
    ],
    [
      'a sweep that found something',
      'sweep.completed',
      { reaped: 1, rehinted: 12, rowsGiven: 0 },
      'resumed    1 claim of consumers that died, 12 events whose hint was lost',
    ],
    [
      'a purge, without its internals',
      'purge.completed',
      { events: 3, archives: 1, expired: 0, failed: 0, tidied: { bodiesRoundAtMs: 5 }, resumeAboveNo: 0 },
      'purged     3 events past their retention, archived before',
    ],
    [
      'a deleted workspace of which nothing is left',
      'erase.completed',
      { steps: 9, ended: 1, failed: 0, error: null },
      'erased     1 workspace, with all that was in it',
    ],
    ['a line without words here', 'some.new-line', { count: 1 }, 'some.new-line  {"count":1}'],
  ])('tells of %s', (_, event, fields, expected) => {
    const { said, hear } = listen()
    hear(event, fields)
    expect(said).toEqual([expected])
  })

  test('of a failure says when the next attempt is due', () => {
    const { said, hear } = listen()
    hear('delivery.attempted', { ...FAILED, nextAttemptAtMs: START_MS + 5000 })
    expect(said).toEqual([expect.stringMatching(/attempt 1, the next at \d\d:\d\d:05$/)])
  })

  test.each([['event.received'], ['delivery.attempted']])('of %s begins with the hour', (event) => {
    const lines: string[] = []
    const voice = new Voice((line) => void lines.push(line))
    const message = JSON.stringify({ ...RECEIVED, ...ATTEMPTED, event })
    voice.hear({ level: 'log', message, timestamp: START_MS })
    expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d {2}\w/)])
  })
})

test('it says nothing while all is well and nothing happens', () => {
  const { said, hear } = listen()
  hear('sweep.completed', { reaped: 0, rehinted: 0, rowsGiven: 0, folded: 4, woken: 3, durationMs: 9 })
  hear('purge.completed', { events: 0, failed: 0, archives: 0, tidied: { bodies: 0 } })
  hear('erase.completed', { steps: 9, ended: 0, failed: 0, error: null })
  hear('queue.consumed', { queue: 'posthorn-retries', invalid: 0, unsettled: 0, failure: null })
  hear('queue.left', { claims: 1, attempts: 4, unsettled: 0 })
  hear('delivery.settled', { ...ATTEMPTED, state: 'success', reason: null })
  expect(said).toEqual([])
})

describe('a warning', () => {
  test.each([
    ['sweep.failed', { error: 'Error: x' }],
    ['purge.failed', { error: 'Error: x' }],
    ['erase.failed', { error: 'Error: x' }],
    ['erase.completed', { steps: 1, ended: 0, failed: 1, error: 'Error: x' }],
    ['hint.failed', { hints: 1, error: 'Error: x' }],
    ['pacer.forgot', { error: 'Error: x' }],
    ['announce.failed', { error: 'Error: x' }],
    ['request.failed', { requestId: 'req_1', error: 'Error: x' }],
    ['queue.consumed', { queue: 'posthorn-retries', failure: 'Error: x' }],
    ['queue.consumed', { queue: 'posthorn-retries', unsettled: 2, unsettledError: 'Error: x' }],
    ['purge.completed', { events: 0, failed: 1, error: 'Error: x' }],
  ])('of %s has the reason, and what follows', (event, fields) => {
    const { said, hear } = listen()
    hear(event, fields)
    expect(said).toEqual([
      expect.stringMatching(/^warning {4}.*Error: x/),
      expect.stringMatching(/^ +[A-Z].*\.$/),
    ])
  })

  test('needs no error', () => {
    const { said, hear } = listen()
    hear('pacer.forgot', { subscriptionNo: 1 })
    expect(said[0]).toBe('warning    A pacer could not keep its state.')
  })

  test('in the runtime’s own words is shown as it is', () => {
    const { said, voice } = listen()
    voice.hear({ level: 'error', message: 'workerd: out of memory', timestamp: START_MS })
    expect(said).toEqual(['warning    workerd: out of memory'])
  })

  test('that is repeated is counted', () => {
    const { said, voice, hear } = listen()
    for (let n = 0; n < 1001; n++) hear('request.failed', { requestId: 'req_1', error: 'Error: x' })
    voice.tick(START_MS + 20_000)
    expect(said).toHaveLength(3)
    expect(said[2]).toBe('warning    1,000 more warnings like it: request.failed')
  })
})

describe('a busy relay', () => {
  /** 1,000 deliveries a second for some seconds. */
  function bustle(seconds: number) {
    const listened = listen()
    for (let n = 0; n < seconds * 1000; n++) {
      const fields = n % 10 === 0 ? FAILED : ATTEMPTED
      listened.hear('delivery.attempted', fields, START_MS + n)
    }
    return listened
  }

  test('is told in a summary now and then instead of thousands of lines', () => {
    const { said, voice } = bustle(12)
    voice.tick(START_MS + 20_000)
    const summaries = said.filter((line) => line.startsWith('busy'))
    expect(said.length - summaries.length).toBe(25)
    expect(summaries).toHaveLength(4)
    expect(summaries[1]).toBe(
      'busy       4,500 deliveries made (12 ms on average, 12 ms at most); 500 attempts failed: shop.example connection × 500',
    )
  })

  test('is told line by line again when it is calm', () => {
    const { said, voice, hear } = bustle(2)
    voice.tick(START_MS + 10_000)
    voice.tick(START_MS + 20_000)
    const before = said.length
    hear('event.received', RECEIVED, START_MS + 20_001)
    expect(said.slice(before)).toEqual(['published  evt_1: 2 deliveries to make, 4 ms'])
  })

  test('has its warnings shown nevertheless', () => {
    const { said, hear } = bustle(2)
    hear('sweep.failed', { error: 'Error: x' }, START_MS + 2000)
    expect(said.some((line) => line.startsWith('warning'))).toBe(true)
  })

  test('names the commonest faults and counts the others', () => {
    const { said, voice, hear } = listen()
    for (let n = 0; n < 100; n++) {
      hear('delivery.attempted', { ...FAILED, host: `h${n % 5}.example` }, START_MS + n)
    }
    voice.tick(START_MS + 1000)
    expect(said.at(-1)).toMatch(/75 attempts failed: (h\d\.example connection × 15, ){3}2 others$/)
  })
})
