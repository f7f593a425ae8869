import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { isSuccess, Receiver, waitUntil } from '../../test/support/receivers/receiver.ts'
import { Kills } from './kills.ts'
import { type Ledger, Load, newLedger } from './load.ts'
import { between, type ProofContext, type ProofResult, seconds } from './proof.ts'

export type CrashOptions = {
  rounds: number
  /** How long everything may take to arrive after the last start. */
  drainMs?: number
  /** How long to watch for late doubles after everything has arrived. */
  watchMs?: number
}

/** One receiver that answers at once, one that takes its time, one that refuses every event once. */
const PATHS = ['/steady', '/slow', '/flaky'] as const
const CONNECTIONS = 6

/**
 * Publishes under load, kills node and workerd at a random moment, starts again on the same state; again and again.
 * Every event that was answered with 202 must arrive, and only a crash may make one arrive twice.
 */
export async function proveCrash(context: ProofContext, options: CrashOptions): Promise<ProofResult> {
  const { random, progress, stateDir } = context
  const receiver = await startReceiver()
  const ledger = newLedger()
  const kills = new Kills(receiver)
  let relay = await RelayProcess.start({ stateDir })
  try {
    await subscribe(relay, receiver)
    for (let round = 1; round <= options.rounds; round++) {
      await loadAndKill(relay, ledger, { kills, random })
      // Every fourth round also dies while it starts, wherever in its start that is.
      if (round % 4 === 0) await killWhileStarting(stateDir, { kills, random })
      relay = await RelayProcess.start({ stateDir })
      progress(
        `round ${round}/${options.rounds}: ${ledger.accepted.size} accepted, ${receiver.delivered('/steady')} arrived`,
      )
    }
    const startedAtMs = Date.now()
    await settleUnsure(relay, ledger, random)
    const complete = () => PATHS.every((path) => missing(ledger, receiver, path).length === 0)
    await waitUntil(
      () => PATHS.every((path) => receiver.delivered(path) >= ledger.accepted.size),
      options.drainMs ?? 120_000,
    )
    await waitUntil(complete, 5_000)
    const drainedMs = Date.now() - startedAtMs
    await sleep(options.watchMs ?? 30_000)
    return judge(ledger, receiver, kills, { rounds: options.rounds, drainedMs })
  } finally {
    await relay.kill9()
    await receiver.close()
  }
}

async function startReceiver(): Promise<Receiver> {
  const receiver = await Receiver.start()
  receiver.script('/slow', { status: 200, delayMs: 30 })
  // Refuses each event once: with 500 its breaker would open, and this is not about breakers.
  receiver.script('/flaky', 404, 200)
  return receiver
}

async function subscribe(relay: RelayProcess, receiver: Receiver): Promise<void> {
  const client = new RelayClient(relay)
  const retryPolicy = { schedule: Array.from({ length: 30 }, () => 1) }
  for (const path of PATHS)
    await client.subscribe({ url: receiver.url(path), events: ['load.*'], retryPolicy })
}

type Killing = { kills: Kills; random: () => number }

async function loadAndKill(relay: RelayProcess, ledger: Ledger, { kills, random }: Killing): Promise<void> {
  const client = new RelayClient(relay)
  const load = new Load(client, ledger, random)
  const running = load.run(CONNECTIONS)
  await sleep(between(random, 200, 2_000))
  await kills.kill(relay, client)
  load.stop()
  await running
}

async function killWhileStarting(stateDir: string, { kills, random }: Killing): Promise<void> {
  const relay = RelayProcess.spawn({ stateDir })
  await sleep(between(random, 300, 3_000))
  await kills.kill(relay)
}

/** Sends what had no answer once more under its own id, as a publisher does. */
async function settleUnsure(relay: RelayProcess, ledger: Ledger, random: () => number): Promise<void> {
  if (ledger.unsure.length === 0) return
  const load = new Load(new RelayClient(relay), ledger, random)
  const running = load.run(1)
  await waitUntil(() => ledger.unsure.length === 0, 10_000)
  load.stop()
  await running
}

function missing(ledger: Ledger, receiver: Receiver, path: string): string[] {
  const arrived = receiver.byId(path)
  return [...ledger.accepted].filter((id) => !(arrived.get(id) ?? []).some(isSuccess))
}

type Doubles = { byCrash: number; unexplained: string[]; longestMs: number }

/** Doubled deliveries of a path: those with a kill between one success and the next, and all others. */
function doublesOf(receiver: Receiver, path: string, kills: Kills): Doubles {
  const doubles: Doubles = { byCrash: 0, unexplained: [], longestMs: 0 }
  for (const id of receiver.doubled(path)) {
    const times = (receiver.byId(path).get(id) ?? []).filter(isSuccess).map(({ atMs }) => atMs)
    times.slice(1).forEach((laterMs, i) => {
      const earlierMs = times[i] ?? 0
      const waitedMs = kills.cutOffMs(earlierMs, laterMs)
      if (waitedMs === null) doubles.unexplained.push(`${path} ${id}: ${laterMs - earlierMs} ms apart`)
      else {
        doubles.byCrash++
        doubles.longestMs = Math.max(doubles.longestMs, waitedMs)
      }
    })
  }
  return doubles
}

function judge(
  ledger: Ledger,
  receiver: Receiver,
  kills: Kills,
  { rounds, drainedMs }: { rounds: number; drainedMs: number },
): ProofResult {
  const violations: string[] = []
  const doubles = PATHS.map((path) => doublesOf(receiver, path, kills))
  const known = new Set(PATHS.flatMap((path) => [...receiver.byId(path).keys()]))
  const unanswered = [...known].filter((id) => !ledger.accepted.has(id))
  for (const path of PATHS) {
    const lost = missing(ledger, receiver, path)
    if (lost.length > 0)
      violations.push(`${path}: ${lost.length} accepted events never arrived: ${sample(lost)}`)
    const half = unanswered.filter((id) => !(receiver.byId(path).get(id) ?? []).some(isSuccess))
    if (half.length > 0)
      violations.push(`${path}: ${half.length} events arrived elsewhere only: ${sample(half)}`)
  }
  const unexplained = doubles.flatMap((double) => double.unexplained)
  if (unexplained.length > 0) {
    violations.push(`${unexplained.length} deliveries doubled without a crash: ${sample(unexplained)}`)
  }
  const byCrash = doubles.reduce((sum, double) => sum + double.byCrash, 0)
  const longestMs = Math.max(...doubles.map((double) => double.longestMs))
  const total = PATHS.reduce((sum, path) => sum + receiver.delivered(path), 0)
  return {
    figures: {
      'crash rounds': `${rounds} (${kills.count} kills)`,
      'events answered 202': ledger.accepted.size,
      'deliveries owed and made': `${ledger.accepted.size * PATHS.length} owed, ${total} made`,
      'events without an answer': ledger.unanswered,
      'publishes refused': ledger.refused,
      'arrived though never answered': unanswered.length,
      'doubled: POST made, outcome not recorded before the kill': `${byCrash} (at most ${longestMs} ms before it)`,
      'drained after the last start': seconds(drainedMs),
    },
    violations,
  }
}

function sample(list: readonly string[]): string {
  return list.slice(0, 5).join(', ')
}
