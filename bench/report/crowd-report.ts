/** The table of the crowd bench, and the files of its results. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Commit, Machine } from '../harness/machine.ts'
import { type Demand, type Line, ratioOf, type Unit, verdictOf } from './crowd-lines.ts'

export type RowResult = {
  readonly row: string
  readonly seconds: number
  readonly lines: readonly Line[]
  /** Waits that were cut, and where the row stood then. */
  readonly cuts: readonly string[]
  /** Why it gave no figures. */
  readonly error: string | null
}

export type CrowdResult = {
  readonly startedAt: string
  readonly commit: Commit
  readonly machine: Machine
  readonly quick: boolean
  readonly rows: readonly RowResult[]
}

const METHOD = `One relay per row on a fresh state, as \`npm start\` runs it, with fresh receivers. \`one\` is measured first: a relay with one
healthy subscription; \`quiet\` is what the neighbour, another tenant with one healthy receiver who publishes five times a second,
felt on the row's own relay before the load. Missing and unanswered ones count in a quantile with the time waited so far. A row that
was cut shows what it had reached by then. The load and the receivers share the machine's cores: believe the ratios.`

const HEAD = ['row', 'figure', 'value', 'against', 'of that', 'ratio', 'floor', 'goal', 'verdict']
/** Columns of words; the others hold numbers. */
const WORDS = new Set(['row', 'figure', 'against', 'verdict'])

export function table(result: CrowdResult): string {
  const all = [HEAD, ...result.rows.flatMap(cellsOfRow)]
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)))
  const pad = (cell: string, i: number) =>
    WORDS.has(HEAD[i] ?? '') ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  const lines = all.map((cells) => cells.map(pad).join('  ').trimEnd())
  const remarks = remarksOf(result)
  return [...lines, ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n')
}

/** The result with what follows from it, for programs. */
export function jsonOf(result: CrowdResult): string {
  const rows = result.rows.map((row) => ({
    ...row,
    lines: row.lines.map((line) => ({ ...line, ratio: ratioOf(line), verdict: verdictOf(line) })),
  }))
  return JSON.stringify({ ...result, rows, method: METHOD }, null, 2)
}

/** Writes the table and the raw numbers, and gives the files' common name. */
export function write(result: CrowdResult, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const name = `${result.startedAt.slice(0, 10)}-${result.commit.hash}-crowd`
  writeFileSync(path.join(directory, `${name}.json`), `${jsonOf(result)}\n`)
  writeFileSync(path.join(directory, `${name}.md`), markdown(result))
  return name
}

function markdown(result: CrowdResult): string {
  const { machine, commit } = result
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const state = `${commit.hash}${commit.dirty ? ', with uncommitted changes' : ''}`
  const rule = row(HEAD.map((name) => (WORDS.has(name) ? '---' : '--:')))
  const sections = [
    `# A crowd of subscriptions, ${result.startedAt.slice(0, 10)} at ${state}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.node}, miniflare ${machine.miniflare}, workerd ${machine.workerd}.`,
    [row(HEAD), rule, ...result.rows.flatMap(cellsOfRow).map(row)].join('\n'),
    ...remarksOf(result),
    METHOD,
    'The raw numbers are in the JSON file of the same name.',
  ]
  return `${sections.join('\n\n')}\n`
}

function cellsOfRow({ row, lines }: RowResult): string[][] {
  return lines.map((line) => {
    const { figure, value, unit, yardstick, demand } = line
    const ratio = ratioOf(line)
    return [
      row,
      figure,
      shown(value, unit),
      yardstick?.name ?? '',
      yardstick === null ? '' : shown(yardstick.value, unit),
      ratio === null ? '' : `× ${digits(ratio)}`,
      demand === null ? '' : bound(demand, demand.floor, unit),
      demand === null ? '' : bound(demand, demand.goal, unit),
      verdictOf(line) ?? '',
    ]
  })
}

function bound({ of, best }: Demand, value: number, unit: Unit): string {
  const sign = best === 'high' ? '≥' : '≤'
  return of === 'ratio' ? `${sign} × ${digits(value)}` : `${sign} ${shown(value, unit)}`
}

function shown(value: number | null, unit: Unit): string {
  if (value === null) return '–'
  return unit === '' || unit === '/s' ? `${digits(value)}${unit}` : `${digits(value)} ${unit}`
}

function digits(value: number): string {
  const size = Math.abs(value)
  const maximumFractionDigits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits })
}

function remarksOf({ rows }: CrowdResult): string[] {
  return rows.flatMap(({ row, cuts, error }) => [
    ...cuts.map((cut) => `${row}: ${cut}.`),
    ...(error === null ? [] : [`${row}: NO FIGURES: ${error}`]),
  ])
}
