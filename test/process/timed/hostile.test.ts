import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answers } from '../../support/hostile/behaviours.ts'
import { HostileReceiver } from '../../support/hostile/receiver.ts'
import {
  type LoggedDelivery,
  newestDelivery,
  prepare,
  publishToAll,
  settled,
  type Target,
  TIMEOUT_MS,
  WorkerdWatch,
  workerdPid,
} from '../../support/hostile/run.ts'
import { tableOf } from '../../support/hostile/table.ts'
import { certificates } from '../../support/hostile/unreachable.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'

/** How much later than its timeout an attempt may end on a machine that does all this at once. */
const SLACK_MS = 1_000
/** All rows together, on two busy cores. */
const ALL_SETTLED_MS = 25_000
/** What the whole table may add to workerd's memory: a fraction of any one of its gigabytes. */
const GROWTH_BYTES_MAX = 512 * 1_048_576
/** What any receiver gets rid of before the relay turns away: buffers on both sides, far from a gigabyte. */
const SENT_BYTES_MAX = 32 * 1_048_576
/** Below the timeout: behind a receiver that hangs, an event would wait for longer. */
const NEIGHBOUR_LAG_MS_MAX = 2_000
const RETRY_TOLERANCE_SECONDS = 3

const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-hostile-'))
const redirectTarget = await HostileReceiver.start(answers(200))
const rows = tableOf(redirectTarget.url)
const outcomes = new Map<string, { target: Target; delivery: LoggedDelivery | null }>()
const neighbourLagsMs: number[] = []
let neighbour: Receiver
let relay: RelayProcess
let workerd: WorkerdWatch

beforeAll(async () => {
  const { good, expired, wrongName } = certificates
  const trusted = path.join(folder, 'trusted.pem')
  writeFileSync(trusted, [good, expired, wrongName].map(({ cert }) => cert).join(''))
  neighbour = await Receiver.start()
  relay = await RelayProcess.start({ stateDir: path.join(folder, 'state'), env: { SSL_CERT_FILE: trusted } })
  const client = new RelayClient(relay)
  const targets = await prepare(client, rows)
  await proveNeighbour(client)
  workerd = await WorkerdWatch.start(relay)
  let isOver = false
  const beside = [workerd.sample(() => isOver), publishBeside(client, () => isOver)]
  await publishToAll(client, targets)
  const deadlineMs = Date.now() + ALL_SETTLED_MS
  await sleep(TIMEOUT_MS)
  // One after the other: a hundred reads of the log at once would be what delays the neighbour.
  for (const target of targets) {
    outcomes.set(target.row.name, { target, delivery: await settled(relay, target, deadlineMs) })
  }
  isOver = true
  await Promise.all(beside)
})

afterAll(async () => {
  await relay?.stop()
  await neighbour?.close()
  await redirectTarget.close()
  for (const { target } of outcomes.values()) await target.receiver.close().catch(() => undefined)
  rmSync(folder, { recursive: true, force: true })
})

describe('a hostile receiver comes to the outcome of the table', () => {
  it.each(rows)('$name', ({ name }) => expectOutcome(name))

  it('has a name of its own in each row', () => {
    expect(outcomes.size).toBe(rows.length)
  })
})

describe('after all of them', () => {
  it('has followed no redirect', () => {
    expect(redirectTarget.requests).toBe(0)
  })

  it('has delivered every event of a healthy neighbour once, and at once', () => {
    const deliveries = [...neighbour.byId('/healthy').values()]
    expect(neighbourLagsMs.length).toBeGreaterThan(10)
    expect(deliveries).toHaveLength(neighbourLagsMs.length + 1)
    expect(deliveries.filter((requests) => requests.length > 1)).toEqual([])
    expect(Math.max(...neighbourLagsMs)).toBeLessThan(NEIGHBOUR_LAG_MS_MAX)
  })

  it('is alive, in the same process, with no more memory than its work takes', async () => {
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
    expect(await workerdPid(relay)).toBe(workerd.pid)
    expect(workerd.growthBytes).toBeGreaterThan(0)
    expect(workerd.growthBytes).toBeLessThan(GROWTH_BYTES_MAX)
  })

  it('has met no error that it did not expect', () => {
    const lines = relay.output.split('Ctrl-C stops it; the state stays.')[1]?.trim().split('\n') ?? []
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => !isExpected(line))).toEqual([])
  })
})

function expectOutcome(name: string): void {
  const { target, delivery } = outcomes.get(name)!
  const { expected, options = {} } = target.row
  const { earlier = [], isUnreached = false, repeats = 0, why = 'the outcome is another' } = options
  if (delivery === null) throw new Error('the delivery is not in the log')
  const { status, responseCode: code, error, responseBody: body, attempts } = delivery
  const words = Array.isArray(expected.error) ? expected.error : [expected.error]
  expect(words, why).toContain(error)
  expect({ status, code, body }, why).toEqual({
    status: expected.status,
    code: expected.code,
    body: expected.body,
  })
  const before = attempts.slice(0, -1).map((attempt) => attempt.responseCode ?? attempt.error)
  expect(before, why).toEqual(earlier)
  // More than the log knows of would be a request doubled unseen.
  expect(target.receiver.requests, 'requests').toBe(isUnreached ? 0 : attempts.length + repeats)
  expect(target.receiver.bytesSent, 'bytes sent').toBeLessThan(SENT_BYTES_MAX)
  for (const { responseTime } of attempts) {
    expect(responseTime, 'time').toBeLessThanOrEqual(TIMEOUT_MS + SLACK_MS)
  }
  expect(delivery.responseTime, 'time').toBeGreaterThanOrEqual(expected.atLeastMs ?? 0)
  expectRetry(delivery, expected.retryInSeconds)
}

function expectRetry({ nextRetryAt, attempts }: LoggedDelivery, retryInSeconds: number | null): void {
  const last = attempts.at(-1)
  if (last === undefined) throw new Error('no attempt is in the log')
  if (retryInSeconds === null) {
    expect(nextRetryAt).toBeNull()
    return
  }
  const endedAtMs = Date.parse(last.attemptedAt) + last.responseTime
  const seconds = (Date.parse(nextRetryAt ?? '') - endedAtMs) / 1000
  expect(Math.abs(seconds - retryInSeconds), `tried again in ${seconds} s`).toBeLessThan(
    RETRY_TOLERANCE_SECONDS,
  )
}

/** A receiver counts as healthy once it has answered fast; only then does nobody slow share its consumers. */
async function proveNeighbour(client: RelayClient): Promise<void> {
  const id = await client.subscribe({ url: neighbour.url('/healthy'), events: ['healthy.test'] })
  await client.publish({ event: 'healthy.test', data: {} })
  expect(await neighbour.waitForDelivered('/healthy', 1, 5_000)).toBe(true)
  while ((await newestDelivery(relay, id))?.status !== 'success') await sleep(50)
}

/** Publishes to the neighbour all the while, and notes how long each event takes to arrive. */
async function publishBeside(client: RelayClient, isOver: () => boolean): Promise<void> {
  const arrivals: Promise<void>[] = []
  while (!isOver()) {
    const startedAtMs = Date.now()
    const { ids } = await client.publish({ event: 'healthy.test', data: {} })
    arrivals.push(arrival(ids[0] ?? '', startedAtMs))
    await sleep(200)
  }
  await Promise.all(arrivals)
}

async function arrival(id: string, publishedAtMs: number): Promise<void> {
  const requests = () => neighbour.byId('/healthy').get(id) ?? []
  await waitUntil(() => requests().length > 0, 10_000)
  neighbourLagsMs.push((requests()[0]?.atMs ?? Number.POSITIVE_INFINITY) - publishedAtMs)
}

/** A unit of work that went well, or workerd's own report of a name or a TLS handshake that failed. */
function isExpected(line: string): boolean {
  if (!line.startsWith('{')) return /^(e = .*failed: .*(TLS|lookup address)|stack: )/.test(line)
  const { event, unsettled, failure, invalid } = JSON.parse(line) as Record<string, unknown>
  if (event === 'queue.left') return unsettled === 0
  return event === 'sweep.completed' || (event === 'queue.consumed' && !unsettled && !failure && !invalid)
}
