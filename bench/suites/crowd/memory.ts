/** The relay's memory under large publishes at once, and under large payloads owed to a dead receiver. */
import { setTimeout as pause } from 'node:timers/promises'
import { awaitDelivered } from '../../fixtures/arrival.ts'
import { SinkClient } from '../../harness/crowd/sink-client.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Workspace } from '../../harness/crowd/workspace.ts'
import { freePort } from '../../harness/processes.ts'
import { answerLines, type Line, line } from '../../report/crowd-lines.ts'
import type { One, Row } from './row.ts'

const PUBLISHES = 50
/** Publishes just below the limit of a request: order lines, and the values that take the most memory once parsed. */
const LARGE_EVENTS = {
  'memory-publish': () => orderLines(40_000),
  'memory-dense': () => emptyObjects(3_200_000),
} as const
const OWED = 30_000
const PAYLOAD_BYTES = 200_000
const PAYLOADS_PER_REQUEST = 45
const OWE_MS_MAX = 420_000
const HEALTH_EVERY_MS = 100

export const MEMORY_ROWS: readonly Row[] = [
  {
    name: 'memory-publish',
    maxSeconds: 180,
    run: (stage, one) => measurePublishes(stage, one, 'memory-publish'),
  },
  {
    name: 'memory-dense',
    maxSeconds: 180,
    run: (stage, one) => measurePublishes(stage, one, 'memory-dense'),
  },
  { name: 'memory-owed', maxSeconds: 900, run: measureOwed },
]

function orderLines(count: number): string {
  const line = (n: number) => ({
    ...{ sku: `SKU-${n}`, quantity: n % 9, price: 19.99, note: 'x'.repeat(140) },
    ...{ tags: ['sale', 'summer'], shipped: n % 2 === 0 },
  })
  return JSON.stringify(Array.from({ length: count }, (_, n) => line(n)))
}

function emptyObjects(count: number): string {
  return `[${'{},'.repeat(count - 1)}{}]`
}

async function measurePublishes(stage: Stage, one: One, name: keyof typeof LARGE_EVENTS): Promise<Line[]> {
  const workspace = stage.workspace('crowd')
  const body = Buffer.from(`{"event":"m.x","data":{"x":${LARGE_EVENTS[name]()}}}`)
  const health = watchHealth(workspace)
  const count = stage.scaled(PUBLISHES)
  const answers = await Promise.all(
    Array.from({ length: count }, () => workspace.call('POST', '/events', { body })),
  )
  const slowestMs = Math.max(...(await health.stop()))
  return [
    ...answerLines('publishes of 9.6 MB at once', answers),
    memoryLine(stage, one),
    line('workerd died', stage.memory.restarts),
    line('slowest GET /status meanwhile', slowestMs, { unit: 'ms' }),
  ]
}

async function measureOwed(stage: Stage, one: One): Promise<Line[]> {
  const workspace = stage.workspace('crowd')
  const port = await freePort()
  const retryPolicy = { schedule: Array.from({ length: 90 }, () => 10) }
  const id = await workspace.subscribe({ url: `http://127.0.0.1:${port}/owed/0`, events: ['*'], retryPolicy })
  const owed = await oweLarge(stage, workspace)
  const whileOwed = memoryLine(stage, one, 'while they are owed')
  const back = await SinkClient.start(stage.processes, `${stage.name}-back`, port)
  await workspace.ask('POST', `/webhooks/${id}/resume`)
  const { delivered } = await awaitDelivered(stage, { group: 'owed', owed, sink: back })
  return [
    line('events of 200 KB accepted', owed, { by: { name: 'published', value: stage.scaled(OWED) } }),
    whileOwed,
    line('delivered after the return', delivered, { by: { name: 'accepted', value: owed } }),
    memoryLine(stage, one, 'at the end'),
    line('workerd died', stage.memory.restarts),
  ]
}

/** Every request has the same bytes: made anew, they would cost this process more than the relay. */
async function oweLarge(stage: Stage, workspace: Workspace): Promise<number> {
  const total = stage.scaled(OWED)
  const event = { event: 'm.owed', data: { text: 'x'.repeat(PAYLOAD_BYTES) } }
  const bodyOf = (count: number) => Buffer.from(JSON.stringify({ events: Array(count).fill(event) }))
  const whole = bodyOf(PAYLOADS_PER_REQUEST)
  const startedAtMs = performance.now()
  let accepted = 0
  for (let sent = 0; sent < total; sent += PAYLOADS_PER_REQUEST) {
    if (stage.time.isOver || performance.now() - startedAtMs > OWE_MS_MAX) {
      stage.time.cut(`publishing was cut: ${sent} of ${total} events were sent`)
      break
    }
    const count = Math.min(PAYLOADS_PER_REQUEST, total - sent)
    const body = count === PAYLOADS_PER_REQUEST ? whole : bodyOf(count)
    const { status, text } = await workspace.call('POST', '/events', { body })
    if (status === 202) accepted += text.split('"status":"accepted"').length - 1
    else stage.time.cut(`a publish was answered ${status}`)
  }
  return accepted
}

function memoryLine(stage: Stage, one: One, when = 'at the end'): Line {
  const by = { name: 'one', value: one.peakMiB }
  return line(`peak memory of workerd, ${when}`, stage.memory.miB, { unit: 'MiB', by })
}

/** Asks the relay something small again and again; `stop` gives how long each answer took. */
function watchHealth(workspace: Workspace): { stop: () => Promise<readonly number[]> } {
  let isOver = false
  const watch = async () => {
    const took: number[] = []
    do {
      took.push((await workspace.call('GET', '/status')).tookMs)
      await pause(HEALTH_EVERY_MS)
    } while (!isOver)
    return took
  }
  const watching = watch()
  return {
    stop: async () => {
      isOver = true
      return await watching
    },
  }
}
