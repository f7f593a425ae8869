/** A rate limit under a backlog: its use, and its observance as the receiver counts it. */
import { publishBulk, sampleEvent } from '../../fixtures/bulk.ts'
import { unixMs } from '../../harness/crowd/sink-group.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Workspace } from '../../harness/crowd/workspace.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

type Limit = { readonly requests: number; readonly perSeconds: number }

const ANSWERS_MS = [1, 400, 1_500] as const
const MEASURE_MS = 20_000
const MEASURE_MS_MIN = 6_000
const START_MS_MAX = 20_000
/** A backlog that outlasts the measurement, also where the limit is exceeded. */
const BACKLOG = 1.5

export const LIMITS_ROWS: readonly Row[] = [
  limitsRow('limits-20', { requests: 20, perSeconds: 1 }),
  limitsRow('limits-100', { requests: 100, perSeconds: 1 }),
  limitsRow('limits-200-in-5', { requests: 200, perSeconds: 5 }),
]

function limitsRow(name: string, limit: Limit): Row {
  return { name, maxSeconds: 240, run: (stage) => measureLimit(stage, limit) }
}

async function measureLimit(stage: Stage, limit: Limit): Promise<Line[]> {
  const lines: Line[] = []
  for (const answerMs of ANSWERS_MS) lines.push(...(await measureAnswer(stage, limit, answerMs)))
  return lines
}

/** Two receivers with the same backlog: one only counts, the other refuses what is beyond the limit. */
async function measureAnswer(stage: Stage, limit: Limit, answerMs: number): Promise<Line[]> {
  const workspace = stage.workspace(`limit_${answerMs}`)
  const perMs = limit.perSeconds * 1_000
  const [counting, strict] = [`counting${answerMs}`, `strict${answerMs}`]
  await stage.sink.behave(counting, { delayMs: answerMs, window: { perMs, requestsMax: null } })
  await stage.sink.behave(strict, { delayMs: answerMs, window: { perMs, requestsMax: limit.requests } })
  const subscriptionIds: string[] = []
  for (const group of [counting, strict])
    subscriptionIds.push(await subscribe(workspace, stage.sink.url(group), limit))
  const measureMs = stage.scaled(MEASURE_MS, MEASURE_MS_MIN)
  const perS = limit.requests / limit.perSeconds
  const events = Math.ceil((perS * measureMs * BACKLOG) / 1_000) + limit.requests
  await publishBulk(stage, workspace, { events, make: (n) => sampleEvent(n) })
  const sent = await countFor(stage, counting, measureMs)
  for (const id of subscriptionIds) await workspace.ask('DELETE', `/webhooks/${id}`)
  const { mostInWindow } = await stage.sink.report(counting)
  const { refused, requests } = await stage.sink.report(strict)
  const label = `answers of ${answerMs.toLocaleString('en')} ms`
  const by = { name: 'the limit', value: limit.requests }
  return [
    line(`${label}: sent`, sent, { unit: '/s', by: { name: 'the limit', value: perS } }),
    line(`${label}: most in ${limit.perSeconds} s`, mostInWindow, { by }),
    line(`${label}: refused by a strict receiver`, refused, {
      by: { name: 'its requests', value: requests },
    }),
  ]
}

async function subscribe(workspace: Workspace, url: string, rateLimit: Limit): Promise<string> {
  const retryPolicy = { maxRetries: 5, retryDelay: 2 }
  return await workspace.subscribe({ url, events: ['*'], rateLimit, retryPolicy })
}

/** Requests per second from the first arrival on. */
async function countFor(stage: Stage, group: string, measureMs: number): Promise<number> {
  let startedAtMs: number | null = null
  await stage.time.until(
    async () => {
      startedAtMs = (await stage.sink.report(group)).firstAtMs
      return startedAtMs !== null
    },
    { what: () => `nothing arrived at "${group}"`, withinMs: START_MS_MAX, everyMs: 20 },
  )
  if (startedAtMs === null) return 0
  await stage.time.pause(startedAtMs + measureMs - unixMs())
  const { requests } = await stage.sink.report(group)
  return (requests * 1_000) / (unixMs() - startedAtMs)
}
