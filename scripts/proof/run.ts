/** `npm run proof [-- names… --rounds N --seed N]`: the long proofs. Exits 1 when a guarantee did not hold. */
import { parseArgs } from 'node:util'
import { proveCrash } from './crash.ts'
import { proveDashboard } from './dashboard/dashboard.ts'
import { proveDeadReceiver } from './dead-receiver.ts'
import { proveDoubledHints } from './doubled-hints.ts'
import { proveEraseKills } from './erase-kills.ts'
import { FULL_COUNT_TESTS, proveByTests } from './full-count.ts'
import { proveHanging } from './hanging.ts'
import { proveLimits } from './limits-strict.ts'
import { provePacing } from './paced/pacing.ts'
import { inFolder, type ProofContext, type ProofResult } from './proof.ts'
import { proveRecovery } from './recovery.ts'
import { proveReplayCrash } from './replay.ts'

type Proof = {
  name: string
  guarantee: string
  /** `rounds`: how often to kill, where a proof's own number is not wanted. */
  run: (context: ProofContext, rounds: number | null) => Promise<ProofResult>
}

const DEAD = { owed: 30_000, measureMs: 40_000, delayMaxMs: 5_000, freshMaxMs: 20_000, returnMs: 240_000 }
/** The floor is 5 s, the goal 1 s. */
const HANGING = { before: 'unproven', hanging: 1_000, healthy: 1, p99MaxMs: 5_000, maxMs: 10_000 } as const
/** One consumer at a time, as locally: so many slots, so many hanging at once, until their first time-outs are known. */
const TURNING = { before: 'proven', hanging: 12, healthy: 3, p99MaxMs: 21_000, maxMs: 22_000 } as const
const TURNING_LOCAL = { ...TURNING, p99MaxMs: 11_000, maxMs: 12_000 } as const
/** Each batch of two is a request that hangs, and there are many at once. */
const PACED = {
  hanging: { batchSettings: { enabled: true, maxEvents: 2, maxWaitTime: 1 } },
  healthy: { concurrency: 50 },
} as const
const HANGING_PACED = { ...HANGING, hanging: 100, perPublish: 20, paced: PACED } as const
const PACE = { measureMs: 60_000, everyMs: 200 }
const REPLAY = { events: 20_000, kills: 3, ratePerSecond: 1_000, drainMs: 120_000, watchMs: 10_000 }
const CRASH_ROUNDS = 20
const PACING = { events: 10_000, drainMs: 180_000, watchMs: 10_000 }
const PACING_KILLS = 5
const ERASE_KILLS = 6
const DASHBOARD = {
  subscriptions: 300,
  events: 100_000,
  readMsMax: 300,
  firstViewMsMax: 1_000,
  drainMs: 600_000,
}
const RECOVERY = { events: 10_000, withinMs: 90_000 }

const PROOFS: readonly Proof[] = [
  {
    name: 'crash',
    guarantee: 'nothing accepted is lost when every process is killed at a random moment',
    run: (context, rounds) => proveCrash(context, { rounds: rounds ?? CRASH_ROUNDS }),
  },
  {
    name: 'recovery',
    guarantee: '10,000 events held up by their receiver at the kill arrive within 90 s of the next start',
    run: (context) => proveRecovery(context, { ...RECOVERY, variant: 'hanging' }),
  },
  {
    name: 'recovery-immediate',
    guarantee:
      '10,000 events whose publish was just answered at the kill arrive within 90 s of the next start',
    run: (context) => proveRecovery(context, { ...RECOVERY, variant: 'immediate' }),
  },
  {
    name: 'dead-refuses',
    guarantee:
      'a receiver that refuses connections does not hold up others, and gets everything when it is back',
    run: (context) => proveDeadReceiver(context, { ...DEAD, variant: 'refuses' }),
  },
  {
    name: 'dead-hangs',
    guarantee: 'a receiver that hangs does not hold up others, and gets everything when it answers again',
    run: (context) => proveDeadReceiver(context, { ...DEAD, variant: 'hangs' }),
  },
  {
    name: 'hints',
    guarantee: 'doubled, overlapping and reordered hints do not double a delivery',
    run: (context) => proveDoubledHints(context, { events: 5_000 }),
  },
  {
    name: 'replay',
    guarantee:
      'a replay of 20,000 deliveries that is killed again and again makes each once, but for what was in flight',
    run: (context) => proveReplayCrash(context, REPLAY),
  },
  {
    name: 'erasure',
    guarantee:
      'a workspace whose erasure is killed again and again is erased whole after the next start, and no other loses anything',
    run: (context, rounds) => proveEraseKills(context, { events: 2_000, kills: rounds ?? ERASE_KILLS }),
  },
  {
    name: 'pacing',
    guarantee:
      'each of 10,000 events is in exactly one batch, none is lost and order is kept when every process is killed at random',
    run: (context, rounds) => provePacing(context, { ...PACING, kills: rounds ?? PACING_KILLS }),
  },
  {
    name: 'limits-strict',
    guarantee:
      'receivers with exactly the limits of their subscriptions refuse none of 10,000 requests, and the limits are used',
    run: (context) => proveLimits(context, { requests: 10_000 }),
  },
  {
    name: 'hanging',
    guarantee: '1,000 receivers that hang do not hold up a healthy one, with the six slots of production',
    run: (context) => proveHanging(context, { ...HANGING, ...PACE, slots: 6 }),
  },
  {
    name: 'hanging-local',
    guarantee: '1,000 receivers that hang do not hold up a healthy one, with the slots of a local relay',
    run: (context) => proveHanging(context, { ...HANGING, ...PACE, slots: 50 }),
  },
  {
    name: 'hanging-paced',
    guarantee:
      '100 batched receivers that hang do not hold up a healthy paced one, with the six slots of production',
    run: (context) => proveHanging(context, { ...HANGING_PACED, ...PACE, slots: 6 }),
  },
  {
    name: 'hanging-paced-local',
    guarantee: 'the same with the slots of a local relay',
    run: (context) => proveHanging(context, { ...HANGING_PACED, ...PACE, slots: 50 }),
  },
  {
    name: 'turning',
    guarantee:
      'twelve receivers of fifteen that begin to hang at once hold up the others two time-outs at most',
    run: (context) => proveHanging(context, { ...TURNING, ...PACE, slots: 6 }),
  },
  {
    name: 'turning-local',
    guarantee: 'the same with the slots of a local relay: one time-out at most',
    run: (context) => proveHanging(context, { ...TURNING_LOCAL, ...PACE, slots: 50 }),
  },
  {
    name: 'dashboard',
    guarantee:
      'with 300 subscriptions, 100,000 events and 90 days of figures, pages read within 300 ms and are first seen within a second',
    run: (context) => proveDashboard(context, DASHBOARD),
  },
  ...FULL_COUNT_TESTS.map(({ name, guarantee, files }) => ({
    name,
    guarantee,
    run: () => proveByTests(files),
  })),
]

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exit((await main()) ? 0 : 1)

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, seed: { type: 'string' } },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  const rounds = values.rounds === undefined ? null : Number(values.rounds)
  const unknown = positionals.filter((name) => !PROOFS.some((proof) => proof.name === name))
  if (
    unknown.length > 0 ||
    (rounds !== null && !(Number.isInteger(rounds) && rounds >= 1)) ||
    !Number.isInteger(seed)
  ) {
    console.error(`npm run proof [-- ${PROOFS.map(({ name }) => name).join(' | ')}] [--rounds N] [--seed N]`)
    return false
  }
  const chosen = PROOFS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  console.log(`Seed ${seed}`)
  let held = true
  for (const proof of chosen) held = (await report(proof, seed, rounds)) && held
  return held
}

async function report(proof: Proof, seed: number, rounds: number | null): Promise<boolean> {
  const startedAtMs = Date.now()
  const progress = (line: string) => console.error(`[${proof.name}] ${line}`)
  const result = await inFolder({ seed, progress }, (context) => proof.run(context, rounds)).catch(
    (error: unknown): ProofResult => ({ figures: {}, violations: [`it could not be run: ${String(error)}`] }),
  )
  const held = result.violations.length === 0
  console.log(`\n${held ? 'HOLDS ' : 'BROKEN'} ${proof.name}: ${proof.guarantee}`)
  for (const [name, value] of Object.entries(result.figures)) console.log(`       ${name}: ${value}`)
  for (const violation of result.violations) console.log(`     ! ${violation}`)
  console.log(`       (${((Date.now() - startedAtMs) / 1000).toFixed(0)} s)`)
  return held
}
