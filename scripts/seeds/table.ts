import { styleText } from 'node:util'
import type { Row, Seed } from './row.ts'

/** How a row came out: as it should, otherwise, or not tried for want of a program. */
export type Outcome = {
  row: Row
  verdict: 'works' | 'differs' | 'cannot' | 'not run' | 'FAILS'
  seen: string
}

const STYLES = {
  works: 'green',
  differs: 'yellow',
  cannot: 'dim',
  'not run': 'magenta',
  FAILS: 'red',
} as const
const COLUMNS = { row: 6, verdict: 9, says: 52 } as const

/** Prints a seed's rows, each with what was seen, or why it is otherwise. */
export function showSeed(seed: Seed, outcomes: readonly Outcome[]): void {
  console.log(`\nSeed ${seed.name}: ${seed.about}`)
  for (const { row, verdict, seen } of outcomes) {
    const painted = styleText(STYLES[verdict], verdict.padEnd(COLUMNS.verdict), { stream: process.stdout })
    const says = row.says.padEnd(COLUMNS.says)
    const lines = seen.split('\n').slice(0, verdict === 'FAILS' ? 12 : 1)
    console.log(`${row.row.padStart(COLUMNS.row)}  ${painted}  ${says}  ${lines.join('\n').slice(0, 2_000)}`)
  }
}

/** Prints how many rows came out how; true when none fails. */
export function showSummary(outcomes: readonly Outcome[], seconds: number): boolean {
  const count = (verdict: Outcome['verdict']) => outcomes.filter((each) => each.verdict === verdict).length
  const [fails, missing] = [count('FAILS'), count('not run')]
  console.log(
    `\n${outcomes.length} rows in ${seconds.toFixed(0)} s: ${count('works')} work, ${count('differs')} work otherwise than said, ` +
      `${count('cannot')} cannot, ${missing} not run, ${fails} fail. Reasons: docs/seeds.md`,
  )
  return fails === 0 && (missing === 0 || !process.env['CI'])
}
