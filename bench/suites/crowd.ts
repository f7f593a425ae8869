/**
 * The relay under a crowd of subscriptions: `npm run bench:crowd [-- ROW… --quick --json]`. Every row is measured against
 * one healthy subscription, which comes first. All rows take about an hour, and end by themselves.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Stage } from '../harness/crowd/stage.ts'
import { commit, machine } from '../harness/machine.ts'
import type { Processes } from '../harness/processes.ts'
import { runAsMain, say } from '../harness/rounds.ts'
import { type Line, verdictOf } from '../report/crowd-lines.ts'
import { type CrowdResult, jsonOf, type RowResult, table, write } from '../report/crowd-report.ts'
import { linesOfOne, measureOne, ONE_SECONDS } from './crowd/one.ts'
import type { One, Row } from './crowd/row.ts'
import { chooseRows, ROWS } from './crowd/rows.ts'

const QUICK_SHARE = 0.1
/** A tenth of the load still needs its relay started, its receivers proven and its timeouts waited for. */
const QUICK_TIME_SHARE = 0.35

type Options = { readonly rows: readonly Row[]; readonly quick: boolean; readonly json: boolean }

function parseOptions(): Options | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  })
  const rows = chooseRows(positionals)
  if (rows !== null) return { ...values, rows }
  console.error(
    `Rows, by name or by what stands before a "-":\n  ${ROWS.map(({ name }) => name).join('\n  ')}`,
  )
  return null
}

type Played<T> = { readonly value: T | null; readonly result: RowResult }

/** Runs one row; a fault of it is its result, and the others go on. */
async function playRow<T>(
  processes: Processes,
  row: { name: string; slots: number | null; maxSeconds: number; quick: boolean },
  { run, linesOf }: { run: (stage: Stage) => Promise<T>; linesOf: (value: T) => readonly Line[] },
): Promise<Played<T>> {
  const { name, slots, quick } = row
  say(`${name}: at most ${row.maxSeconds} s`)
  const startedAtMs = performance.now()
  const secondsSoFar = () => Math.round((performance.now() - startedAtMs) / 1_000)
  const options = { name, slots, maxMs: row.maxSeconds * 1_000, share: quick ? QUICK_SHARE : 1 }
  try {
    const { value, cuts } = await Stage.play(processes, options, run)
    // Floors and goals are for the whole load.
    const lines = linesOf(value).map((each) => (quick ? { ...each, demand: null } : each))
    for (const each of lines) say(`  ${each.figure}: ${each.value?.toFixed(2) ?? '–'} ${each.unit}`)
    for (const cut of cuts) say(`  ${cut}`)
    return { value, result: { row: name, seconds: secondsSoFar(), lines, cuts, error: null } }
  } catch (error) {
    if (processes.stopping) throw error
    const reason = error instanceof Error ? error.message : String(error)
    say(`  no figures: ${reason}`)
    return { value: null, result: { row: name, seconds: secondsSoFar(), lines: [], cuts: [], error: reason } }
  }
}

async function bench(processes: Processes, { rows, quick }: Options): Promise<CrowdResult> {
  const startedAt = new Date().toISOString()
  const maxSeconds = (seconds: number) => Math.round(seconds * (quick ? QUICK_TIME_SHARE : 1))
  const first = { name: 'one', slots: null, maxSeconds: maxSeconds(ONE_SECONDS), quick }
  const { value: one, result } = await playRow(processes, first, { run: measureOne, linesOf: linesOfOne })
  const results = [result]
  for (const row of one === null ? [] : rows) {
    const options = {
      name: row.name,
      slots: row.slots ?? null,
      maxSeconds: maxSeconds(row.maxSeconds),
      quick,
    }
    const run = (stage: Stage) => row.run(stage, one as One)
    results.push((await playRow(processes, options, { run, linesOf: (lines) => lines })).result)
  }
  return { startedAt, commit: await commit(), machine: machine(), quick, rows: results }
}

/** Gives the exit code: a row without figures is a failure, a slow or a cut one is not. */
async function main(processes: Processes): Promise<number> {
  const options = parseOptions()
  if (options === null) return 1
  const result = await bench(processes, options)
  console.log(options.json ? jsonOf(result) : `\n${table(result)}`)
  if (!options.quick && options.rows.length === ROWS.length) {
    const name = write(result, path.join(import.meta.dirname, '../results'))
    say(`\nwritten: bench/results/${name}.{md,json}`)
  }
  const verdicts = result.rows
    .flatMap(({ lines }) => lines.map(verdictOf))
    .filter((verdict) => verdict !== null)
  say(`${verdicts.filter((verdict) => verdict === 'below floor').length} of ${verdicts.length} below floor`)
  return result.rows.some(({ error }) => error !== null) ? 1 : 0
}

await runAsMain(main)
