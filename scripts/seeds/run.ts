/**
 * `npm run seeds [-- 002 …]`: everything that the five documents say which the product is built from, row by row,
 * tried on a relay of its own with real receivers. Exits 1 when a row that should work does not.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'
import { isThere } from './checks/programs.ts'
import { Reasons } from './reasons.ts'
import type { Check, Row, Seed } from './row.ts'
import { Scene } from './scene.ts'
import { SEED_000 } from './seed-000.ts'
import { SEED_001 } from './seed-001.ts'
import { SEED_002 } from './seed-002.ts'
import { SEED_003 } from './seed-003.ts'
import { SEED_004 } from './seed-004.ts'
import { type Outcome, showSeed, showSummary } from './table.ts'

const SEEDS: readonly Seed[] = [SEED_000, SEED_001, SEED_002, SEED_003, SEED_004]
/** Rows that are tried at once: most of them wait for a delivery. */
const ROWS_AT_ONCE = 6
const CHECK_MS_MAX = 90_000

type Stage = { relay: RelayProcess; receiver: Receiver; reasons: Reasons }

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exit((await main(process.argv.slice(2))) ? 0 : 1)

async function main(names: readonly string[]): Promise<boolean> {
  const seeds = SEEDS.filter(({ name }) => names.length === 0 || names.includes(name))
  if (seeds.length === 0) {
    console.error(`npm run seeds [-- ${SEEDS.map(({ name }) => name).join(' | ')}]`)
    return false
  }
  const reasons = new Reasons()
  const startedAtMs = Date.now()
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-seeds-'))
  const receiver = await Receiver.start()
  progress('starting a relay')
  const relay = await RelayProcess.start({ stateDir })
  try {
    const outcomes: Outcome[] = []
    for (const seed of seeds) {
      const own = await trySeed({ relay, receiver, reasons }, seed)
      showSeed(seed, own)
      outcomes.push(...own)
    }
    return showSummary(outcomes, (Date.now() - startedAtMs) / 1_000)
  } finally {
    await relay.stop()
    await receiver.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Tries all rows of a seed, some at once, and those that measure one by one. */
async function trySeed(stage: Stage, seed: Seed): Promise<Outcome[]> {
  const outcomes = new Map<Row, Outcome>()
  const tryNext = async (queue: Row[]) => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      outcomes.set(row, await tryRow(stage, seed, row))
      progress(`seed ${seed.name}: ${outcomes.size} of ${seed.rows.length} rows`)
    }
  }
  const isAlone = ({ check }: Row) => check?.isAlone === true
  const together = seed.rows.filter((row) => !isAlone(row))
  await Promise.all(Array.from({ length: ROWS_AT_ONCE }, () => tryNext(together)))
  await tryNext(seed.rows.filter(isAlone))
  return seed.rows.flatMap((row) => outcomes.get(row) ?? [])
}

async function tryRow(stage: Stage, seed: Seed, row: Row): Promise<Outcome> {
  const { check, kind } = row
  if (check?.needs !== undefined && !isThere(check.needs)) {
    return { row, verdict: 'not run', seen: `needs ${check.needs}, which is not installed` }
  }
  try {
    const seen = check === null ? '' : await inTime(check, new Scene(stage, sceneName(seed, row)))
    return {
      row,
      verdict: kind,
      seen: kind === 'works' ? seen : explained(stage.reasons.of(seed, row), seen),
    }
  } catch (error) {
    return { row, verdict: 'FAILS', seen: error instanceof Error ? error.message : String(error) }
  }
}

function explained(reason: string, seen: string): string {
  return seen === '' ? reason : `${reason} (${seen})`
}

/** A name that no other row has: some rows of a table have the same number. */
function sceneName({ name, rows }: Seed, row: Row): string {
  return `seed-${name}-${row.row}-${rows.indexOf(row)}`
}

async function inTime(check: Check, scene: Scene): Promise<string> {
  const end = new AbortController()
  const limit = sleep(CHECK_MS_MAX, null, { signal: end.signal }).then(
    () => Promise.reject(new Error(`did not end within ${CHECK_MS_MAX / 1_000} s`)),
    () => '',
  )
  try {
    return await Promise.race([check(scene), limit])
  } finally {
    end.abort()
  }
}

function progress(line: string): void {
  console.error(`[seeds] ${line}`)
}
