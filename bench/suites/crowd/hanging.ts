/** Many brand-new receivers that hang, and healthy ones beside them in the same workspace and in another. */
import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from '../../../scripts/proof/proof.ts'
import { sampleEvent, subscribeAll } from '../../fixtures/bulk.ts'
import { delaysOf, type Sent } from '../../fixtures/delays.ts'
import { type Felt, Neighbour } from '../../fixtures/neighbour.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import type { Published, Workspace } from '../../harness/crowd/workspace.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { Row } from './row.ts'

const HANGING = 1_000
const HANG_SECONDS = 10
/** Healthy receivers that get every event; they are new when it begins. */
const KNOWN = 10
const EVERY_MS = 600
const PUBLISHES = 100
const PUBLISHES_MIN = 20
const ARRIVAL_MS_MAX = 30_000
const WORKSPACES = ['same', 'other'] as const
const DELAY = { of: 'value', best: 'low', floor: 5_000, goal: 1_000 } as const

export const HANGING_ROWS: readonly Row[] = [
  { name: 'hanging-default', maxSeconds: 300, run: measureHanging },
  { name: 'hanging-6', maxSeconds: 300, slots: 6, run: measureHanging },
]

type Kind = 'known' | 'new'
type Sending = { readonly workspace: (typeof WORKSPACES)[number]; readonly answer: Published }

async function measureHanging(stage: Stage): Promise<Line[]> {
  const quiet = await (await Neighbour.settle(stage)).feelQuiet()
  const publishes = stage.scaled(PUBLISHES, PUBLISHES_MIN)
  const workspaces = { same: stage.workspace('same'), other: stage.workspace('other') }
  await stage.sink.behave('hanging', { hangs: true })
  await subscribeAll(stage, workspaces.same, hangingOf(stage))
  for (const name of WORKSPACES)
    await subscribeAll(stage, workspaces[name], healthyOf(stage, name, publishes))
  const sendings = await publishSteadily(workspaces, publishes)
  const lines: Line[] = []
  for (const name of WORKSPACES) {
    const answers = sendings.filter(({ workspace }) => workspace === name).map(({ answer }) => answer)
    for (const kind of ['new', 'known'] as const) {
      const where = name === 'same' ? 'same workspace' : 'another workspace'
      lines.push(...(await delayLines(stage, sentOf(answers, kind, name), { kind, name, where, quiet })))
    }
    const took = answers.map(({ tookMs }) => tookMs)
    const by = { name: 'quiet', value: quiet.publishP99Ms }
    lines.push(line(`publish p99, ${name} workspace`, quantile(took, 0.99), { unit: 'ms', by }))
    lines.push(line(`publishes refused, ${name} workspace`, answers.filter(isRefused).length))
  }
  const hung = await stage.sink.report('hanging')
  return [...lines, line('hanging requests in flight at the peak', hung.peakInFlight)]
}

function hangingOf(stage: Stage) {
  return Array.from({ length: stage.scaled(HANGING) }, (_, n) => ({
    url: stage.sink.url('hanging', n),
    events: ['mix.all'],
    retryPolicy: { schedule: [30, 300] },
    timeoutSeconds: HANG_SECONDS,
  }))
}

/** Those that get every event, and one more for each publish, which is brand-new when its event comes. */
function healthyOf(stage: Stage, name: string, publishes: number) {
  const known = Array.from({ length: KNOWN }, (_, n) => ({
    url: stage.sink.url(`${name}-known`, n),
    events: ['mix.all'],
  }))
  const fresh = Array.from({ length: publishes }, (_, n) => ({
    url: stage.sink.url(`${name}-new`, n),
    events: [`mix.new${n}`],
  }))
  return [...known, ...fresh]
}

/** Publishes in both workspaces at a steady rate, however long an answer takes. */
async function publishSteadily(
  workspaces: Record<(typeof WORKSPACES)[number], Workspace>,
  publishes: number,
): Promise<Sending[]> {
  const open: Promise<Sending>[] = []
  const startedAtMs = performance.now()
  for (let n = 0; n < publishes; n++) {
    await pause(Math.max(0, startedAtMs + n * EVERY_MS - performance.now()))
    const events = [sampleEvent(n, { event: 'mix.all' }), sampleEvent(n, { event: `mix.new${n}` })]
    for (const workspace of WORKSPACES)
      open.push(workspaces[workspace].publish(events).then((answer) => ({ workspace, answer })))
  }
  return await Promise.all(open)
}

function sentOf(answers: readonly Published[], kind: Kind, name: string): Sent[] {
  return answers.flatMap(({ ids, sentAtMs }, n) => {
    const at = (path: string) => ({ id: ids[kind === 'known' ? 0 : 1] ?? null, path, atMs: sentAtMs })
    if (kind === 'new') return [at(`/${name}-new/${n}`)]
    return Array.from({ length: KNOWN }, (_, each) => at(`/${name}-known/${each}`))
  })
}

type Healthy = { kind: Kind; name: string; where: string; quiet: Felt }

async function delayLines(stage: Stage, sent: readonly Sent[], healthy: Healthy): Promise<Line[]> {
  const { kind, name, where, quiet } = healthy
  const delays = async () => delaysOf(sent, await stage.sink.arrivals(`${name}-${kind}`))
  let { missing } = await delays()
  await stage.time.until(
    async () => {
      missing = (await delays()).missing
      return missing === 0
    },
    {
      what: () => `${missing} of ${sent.length} to ${kind} receivers in the ${where} are missing`,
      ...{ withinMs: ARRIVAL_MS_MAX, everyMs: 250 },
    },
  )
  const found = await delays()
  const label = `healthy and ${kind}, ${where}`
  const by = (value: number) => ({ name: 'quiet', value })
  return [
    line(`${label}: p50`, found.p50Ms, { unit: 'ms', by: by(quiet.delays.p50Ms) }),
    line(`${label}: p99`, found.p99Ms, { unit: 'ms', by: by(quiet.delays.p99Ms), demand: DELAY }),
    line(`${label}: missing`, found.missing),
  ]
}

function isRefused({ status }: Published): boolean {
  return status !== 202
}
