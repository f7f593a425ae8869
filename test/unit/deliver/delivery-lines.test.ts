import { describe, expect, test } from 'vitest'
import { LineBudget } from '../../../src/base/line-budget.ts'
import type { AttemptRecord } from '../../../src/deliver/attempt/attempt.ts'
import type { ClaimedDelivery } from '../../../src/deliver/attempt/claimed-delivery.ts'
import { DeliveryLines } from '../../../src/deliver/delivery-lines.ts'

const ACCEPTED_AT_MS = 1_700_000_000_000

/** A delivery to a receiver whose URL holds what no line may show. */
function delivery(seq: number, attemptNo = 1): ClaimedDelivery {
  const url = 'https://user:hunter2@receiver.example.com:8443/secret-path?token=hunter2'
  return {
    pair: { subscriptionNo: 5, workspaceNo: 2, seq },
    event: {
      workspaceNo: 2,
      seq,
      ownId: `own-${seq}`,
      type: 'invoice.paid',
      isTest: false,
      acceptedAtMs: ACCEPTED_AT_MS,
      body: '{}',
    },
    subscription: { no: 5, workspaceNo: 2, workspaceId: 'acme', id: 'webhook_a', settings: { url } },
    attemptNo,
    row: null,
  } as unknown as ClaimedDelivery
}

function outcome(seq: number, change: Partial<AttemptRecord> = {}) {
  const record: AttemptRecord = {
    ...{ subscriptionNo: 5, seq, type: 'invoice.paid', isTest: false, attemptNo: 1, success: true },
    ...{ dueAtMs: null, atMs: ACCEPTED_AT_MS + 100, status: 200, error: null, latencyMs: 7 },
    ...{ response: 'hunter2', detail: null, payload: 'none', kept: null, batchNo: null, isCounted: true },
    ...change,
  }
  return { delivery: delivery(seq, record.attemptNo), record }
}

const FAILED = { success: false, status: 500, error: 'http_status' }

function linesWith(sample: number | null, perSecondMax: number | null = null) {
  const logged: [string, Record<string, unknown>][] = []
  const log = (event: string, fields: Record<string, unknown>) => void logged.push([event, fields])
  const budget = new LineBudget(perSecondMax, { log, now: () => ACCEPTED_AT_MS })
  return { logged, budget, lines: new DeliveryLines(log, { sample, budget }) }
}

const IDENTITY = {
  workspace: 'acme',
  workspaceNo: 2,
  subscriptionId: 'webhook_a',
  eventId: 'own-1',
  eventType: 'invoice.paid',
  deliveryId: expect.stringMatching(/^log_/),
  isTest: false,
}

describe('the fields of a line', () => {
  test('are fixed for an attempt', () => {
    const { logged, lines } = linesWith(1)
    lines.attempted(outcome(1))
    expect(logged).toEqual([
      [
        'delivery.attempted',
        {
          ...IDENTITY,
          host: 'receiver.example.com:8443',
          batchId: null,
          batchSize: 1,
          attempt: 1,
          success: true,
          status: 200,
          error: null,
          latencyMs: 7,
          nextAttemptAtMs: null,
        },
      ],
    ])
  })

  test('are the same for a batch, which is named by its first member', () => {
    const { logged, lines } = linesWith(1)
    lines.batchAttempted([outcome(1, { batchNo: 9 }), outcome(2, { batchNo: 9 })])
    expect(logged).toMatchObject([
      ['delivery.attempted', { ...IDENTITY, batchId: expect.stringMatching(/^batch_/), batchSize: 2 }],
    ])
  })

  test.each([
    ['success', outcome(1), { state: 'success', reason: null, attempts: 1, ageMs: 107 }],
    [
      'failure',
      outcome(1, { ...FAILED, attemptNo: 4 }),
      { state: 'failed', reason: 'http_status', attempts: 4, ageMs: 107 },
    ],
  ])('are fixed for a final %s', (_, settled, expected) => {
    const { logged, lines } = linesWith(1)
    lines.settled(settled)
    expect(logged).toEqual([['delivery.settled', { ...IDENTITY, batchId: null, ...expected }]])
  })

  test('are the same for a delivery that is skipped', () => {
    const { logged, lines } = linesWith(0)
    lines.skipped(delivery(1, 3), 'expired', ACCEPTED_AT_MS + 5000)
    const expected = { state: 'skipped', reason: 'expired', attempts: 2, ageMs: 5000 }
    expect(logged).toEqual([['delivery.settled', { ...IDENTITY, batchId: null, ...expected }]])
  })

  test('hold no credential, path or answer', () => {
    const { logged, lines } = linesWith(1)
    lines.attempted(outcome(1, FAILED))
    lines.settled(outcome(1, FAILED))
    lines.skipped(delivery(1), 'gone', ACCEPTED_AT_MS)
    expect(logged).toHaveLength(3)
    expect(JSON.stringify(logged)).not.toMatch(/hunter2|secret-path|token/)
  })
})

describe('the sample', () => {
  const seqs = Array.from({ length: 1000 }, (_, n) => n)

  test('has all lines of a delivery or none', () => {
    const { logged, lines } = linesWith(0.1)
    for (const seq of seqs) {
      lines.attempted(outcome(seq))
      lines.settled(outcome(seq))
    }
    const namesIn = (line: string) =>
      logged.flatMap(([name, { eventId }]) => (name === line ? [eventId] : []))
    expect(namesIn('delivery.attempted')).toEqual(namesIn('delivery.settled'))
    expect(namesIn('delivery.settled').length).toBeGreaterThan(50)
    expect(namesIn('delivery.settled').length).toBeLessThan(200)
  })

  test('has the request of a batch as soon as one of its members is drawn', () => {
    const { logged, lines } = linesWith(0.1)
    const members = seqs.map((seq) => outcome(seq, { batchNo: 9 }))
    lines.batchAttempted(members)
    expect(logged).toMatchObject([['delivery.attempted', { eventId: 'own-0', batchSize: 1000 }]])
  })

  test('of 0 has the failures and nothing else', () => {
    const { logged, lines } = linesWith(0)
    for (const seq of seqs) {
      lines.attempted(outcome(seq))
      lines.settled(outcome(seq))
    }
    lines.batchAttempted(seqs.map((seq) => outcome(seq, { batchNo: 9 })))
    expect(logged).toEqual([])
    lines.attempted(outcome(1, FAILED))
    lines.batchAttempted([outcome(1, { ...FAILED, batchNo: 9 })])
    lines.settled(outcome(1, FAILED))
    expect(logged.map(([event]) => event)).toEqual([
      'delivery.attempted',
      'delivery.attempted',
      'delivery.settled',
    ])
  })

  test('that is off has nothing at all', () => {
    const { logged, lines } = linesWith(null)
    lines.attempted(outcome(1, FAILED))
    lines.batchAttempted([outcome(1, { ...FAILED, batchNo: 9 })])
    lines.settled(outcome(1, FAILED))
    lines.skipped(delivery(1), 'gone', ACCEPTED_AT_MS)
    expect(logged).toEqual([])
  })

  test('reads nothing of an outcome that is not drawn but who it is of', () => {
    const { lines } = linesWith(0)
    const read = new Set<string>()
    const watch = <T extends object>(target: T, name: string): T =>
      new Proxy(target, {
        get: (_, property) => {
          read.add(`${name}.${String(property)}`)
          return Reflect.get(target, property) as unknown
        },
      })
    const { delivery: whole, record } = outcome(1)
    lines.attempted({ delivery: watch(whole, 'delivery'), record: watch(record, 'record') })
    expect([...read]).toEqual(['record.success', 'delivery.pair'])
  })
})

test('lines of successes beyond the budget are counted, and failures are written all the same', () => {
  const { logged, budget, lines } = linesWith(1, 2)
  for (const seq of [1, 2, 3]) {
    lines.attempted(outcome(seq))
    lines.settled(outcome(seq))
  }
  lines.batchAttempted([outcome(4, { latencyMs: 30 }), outcome(5)])
  lines.attempted(outcome(6, FAILED))
  budget.flush()
  expect(logged.map(([event]) => event)).toEqual([
    'delivery.attempted',
    'delivery.settled',
    'delivery.attempted',
    'lines.withheld',
  ])
  const counts = { lines: 5, published: 0, delivered: 4, requests: 3, latencySumMs: 44, latencyMaxMs: 30 }
  expect(logged.at(-1)).toEqual(['lines.withheld', counts])
})
