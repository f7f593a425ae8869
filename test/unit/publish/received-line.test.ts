import { describe, expect, test } from 'vitest'
import { LineBudget } from '../../../src/base/line-budget.ts'
import { isReceivedLogged, logReceived } from '../../../src/publish/received-line.ts'

const ACCEPTED = { status: 'accepted', id: 'evt_1', matched: 2 } as const
const DUPLICATE = { status: 'duplicate', id: 'evt_1', matched: 2 } as const
const REJECTED = { status: 'rejected' } as const

test('the line of a publish request has fixed fields', () => {
  const logged: unknown[] = []
  const relay = {
    log: (event: string, fields: object) => void logged.push([event, fields]),
    now: () => 1_005,
  }
  const request = { workspace: 'acme', requestId: 'req_1', bytes: 8, startedAtMs: 1_000 }
  logReceived(relay, request, [ACCEPTED, ACCEPTED, DUPLICATE, REJECTED])
  const counts = { events: 4, bytes: 8, accepted: 2, duplicates: 1, rejected: 1, matched: 4 }
  const expected = { workspace: 'acme', requestId: 'req_1', eventId: null, ...counts, durationMs: 5 }
  expect(logged).toEqual([['event.received', expected]])
})

const UNBOUNDED = new LineBudget(null, { log: () => undefined, now: () => 0 })

describe('a publish request has a line', () => {
  const isLogged = (
    logSample: number | null,
    chance: number,
    answers: Parameters<typeof isReceivedLogged>[1],
  ) => isReceivedLogged({ settings: { logSample }, lineBudget: UNBOUNDED, random: () => chance }, answers)

  test.each([
    [1, 0.99, true],
    [0.01, 0.005, true],
    [0.01, 0.02, false],
    [0, 0, false],
    [null, 0, false],
  ])('with a sample of %j and a chance of %j: %j', (sample, chance, expected) => {
    expect(isLogged(sample, chance, [ACCEPTED, DUPLICATE])).toBe(expected)
  })

  test('whenever an event was rejected, unless lines are off', () => {
    expect(isLogged(0, 0.5, [ACCEPTED, REJECTED])).toBe(true)
    expect(isLogged(null, 0.5, [ACCEPTED, REJECTED])).toBe(false)
  })
})

test('publishes beyond the budget are counted, and those with a rejected event have their line', () => {
  const logged: unknown[] = []
  const log = (event: string, fields: object) => void logged.push([event, fields])
  const lineBudget = new LineBudget(1, { log, now: () => 0 })
  const relay = { settings: { logSample: 1 }, lineBudget, random: () => 0 }
  const answers = [[ACCEPTED], [ACCEPTED, ACCEPTED, DUPLICATE], [ACCEPTED, REJECTED]]
  expect(answers.map((answer) => isReceivedLogged(relay, answer))).toEqual([true, false, true])
  lineBudget.flush()
  expect(logged).toEqual([['lines.withheld', expect.objectContaining({ lines: 1, published: 2 })]])
})
