/**
 * What batches, orders and limits do to the throughput of one subscription: `npm run bench:pacing [-- --rounds N] [--quick]`.
 * Three rounds take about two minutes on a quiet machine.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MODES, type Mode, PacedWorkspaces } from '../fixtures/paced-workspaces.ts'
import { startPosthorn, startSink } from '../harness/engines.ts'
import { commit, machine } from '../harness/machine.ts'
import type { Processes } from '../harness/processes.ts'
import { type RoundOptions, runBench, say } from '../harness/rounds.ts'
import {
  fullestSecond,
  isComplete,
  isValid,
  LIMIT,
  type LimitedSample,
  type PacedResult,
  type PacedSample,
  rateOf,
  table,
  write,
} from '../report/paced-report.ts'

const QUICK_SHARE = 0.1
const LIMITED_EVENTS = 600

/** A receiver in this process, idle but for it, that notes when each request arrived. */
async function startClock(): Promise<{ url: string; arrivals: number[]; close: () => void }> {
  const arrivals: number[] = []
  const server = createServer((request, response) => {
    arrivals.push(performance.now())
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, arrivals, close: () => server.close() }
}

async function measureLimited(workspaces: PacedWorkspaces, round: number, share: number) {
  const name = `limited ${round}`
  const clock = await startClock()
  await workspaces.subscribe({ name, settings: { rateLimit: LIMIT } }, clock.url)
  const paced = await workspaces.runLimited(name, LIMITED_EVENTS * share, clock.arrivals)
  clock.close()
  say(
    `round ${round}  limited to ${LIMIT.requests}/s: ${rateOf(paced).toFixed(2)}/s, ${fullestSecond(paced)} in the fullest second`,
  )
  return { round, ...paced }
}

async function bench(processes: Processes, { rounds, quick }: RoundOptions): Promise<PacedResult> {
  const startedAt = new Date().toISOString()
  const sink = await startSink(processes)
  const workspaces = new PacedWorkspaces(processes, await startPosthorn(processes, sink), sink)
  const share = quick ? QUICK_SHARE : 1
  const scaled = (mode: Mode, by: number) => ({
    ...mode,
    load: { ...mode.load, events: Math.max(100, mode.load.events * by) },
  })
  for (const mode of MODES) {
    say(`warming up: ${mode.name}`)
    await workspaces.subscribe(mode)
    await workspaces.run(scaled(mode, QUICK_SHARE))
  }
  // First, on a relay that is not still writing to disk what the loads have left behind.
  const limited: LimitedSample[] = []
  for (let round = 1; round <= rounds; round++) limited.push(await measureLimited(workspaces, round, share))
  const samples: PacedSample[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const mode of MODES) {
      const outcome = await workspaces.run(scaled(mode, share))
      samples.push({ round, mode: mode.name, outcome })
      say(
        `round ${round}  ${mode.name.padEnd(22)}  published ${outcome.publishPerS}/s  end to end ${outcome.deliveredPerS}/s`,
      )
    }
  }
  return { startedAt, commit: await commit(), machine: machine(), rounds, quick, samples, limited }
}

await runBench({
  measure: bench,
  table,
  write,
  isValid: ({ samples, limited }) => samples.every(isValid) && limited.every(isComplete),
})
