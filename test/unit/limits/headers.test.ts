import { expect, test } from 'vitest'
import { keySubject, NO_LIMITS, WORKSPACE_SUBJECT } from '../../../src/limits/limits.ts'
import { rateLimitHeaders } from '../../../src/limits/rate-limit-headers.ts'
import { WorkspaceUse } from '../../../src/limits/workspace-use.ts'

const NOW_MS = Date.UTC(2026, 10, 2, 12)

test('the headers name each limit, what is left of it, and when it begins anew', () => {
  const subjects = [
    { id: WORKSPACE_SUBJECT, limits: { ...NO_LIMITS, requestsPerSecond: 10, eventsPerDay: 1000 } },
    { id: keySubject('abc'), limits: { ...NO_LIMITS, eventsPerSecond: 5, storedEvents: 50 } },
  ]
  const use = new WorkspaceUse(1, 'isolate')
  use.admitRequest(subjects, NOW_MS)
  use.admitEvents(subjects, 3, () => NOW_MS).settle(2)
  expect(rateLimitHeaders(use.left(subjects, NOW_MS))).toEqual({
    'RateLimit-Policy':
      '"requestsPerSecond";q=10;w=1, "eventsPerDay";q=1000;qu="events";w=86400, "key-eventsPerSecond";q=5;qu="events";w=1, "key-storedEvents";q=50;qu="events"',
    RateLimit:
      '"requestsPerSecond";r=9;t=1, "eventsPerDay";r=998;t=43200, "key-eventsPerSecond";r=2;t=1, "key-storedEvents";r=48',
  })
})

test('without limits there are none', () => {
  expect(rateLimitHeaders(new WorkspaceUse(1, 'isolate').left([], NOW_MS))).toEqual({})
})

test.each([
  ['eventsPerSecond', { eventsPerSecond: 5 }, 1],
  ['eventsPerDay', { eventsPerDay: 5 }, 43_200],
  ['storedEvents', { storedEvents: 5 }, 60],
] as const)('events beyond %s are refused until some pass again', (name, limits, retryAfterSeconds) => {
  const subjects = [{ id: WORKSPACE_SUBJECT, limits: { ...NO_LIMITS, ...limits } }]
  const admission = new WorkspaceUse(1, 'isolate').admitEvents(subjects, 8, () => NOW_MS)
  expect(admission).toMatchObject({
    granted: 5,
    reached: { subject: WORKSPACE_SUBJECT, name, limit: 5, retryAfterSeconds },
  })
})

test('of a workspace’s and a key’s limit the tighter one holds', () => {
  const key = keySubject('abc')
  const subjects = [
    { id: WORKSPACE_SUBJECT, limits: { ...NO_LIMITS, eventsPerSecond: 100 } },
    { id: key, limits: { ...NO_LIMITS, eventsPerSecond: 5 } },
  ]
  const use = new WorkspaceUse(1, 'isolate')
  const admission = use.admitEvents(subjects, 8, () => NOW_MS)
  expect(admission).toMatchObject({ granted: 5, reached: { subject: key, limit: 5 } })
  // What the key was refused leaves the workspace's other keys their part.
  expect(use.left(subjects.slice(0, 1), NOW_MS)).toMatchObject([{ left: 95 }])
})

test('what a key is refused is not counted as its workspace’s use', () => {
  const subjects = [
    { id: WORKSPACE_SUBJECT, limits: { ...NO_LIMITS, eventsPerSecond: 100 } },
    { id: keySubject('abc'), limits: { ...NO_LIMITS, eventsPerSecond: 5 } },
  ]
  const use = new WorkspaceUse(1, 'isolate')
  use.admitEvents(subjects, 1000, () => NOW_MS).settle(5)
  const { subjects: reported } = use.report(NOW_MS + 1000, null)
  const counts = Object.fromEntries(reported.map(({ id, events }) => [id, events?.counts[0]?.[1]]))
  expect(counts).toEqual({ [WORKSPACE_SUBJECT]: 5, [keySubject('abc')]: 100 })
})
