/** The measured figures as a table for the terminal, as markdown and as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Commit, Machine } from '../harness/machine.ts'
import {
  CEILINGS,
  type Demand,
  type Figure,
  figures,
  isValid,
  type Metric,
  type Sample,
  type Spread,
  spreadOf,
} from './figures.ts'

export type Result = {
  readonly startedAt: string
  readonly commit: Commit
  readonly machine: Machine
  readonly databases: { readonly postgres: string; readonly redis: string } | null
  readonly rounds: number
  readonly quick: boolean
  readonly samples: readonly Sample[]
}

const METHOD = `Loopback, one machine, default durability everywhere. Rounds are interleaved: within a round each
scenario runs against one engine and then at once against the other, the order alternating; the ceilings
follow. Ratios are made within a round; shown are medians (min–max) over the rounds. The load driver and the
receiver share the machine's cores.`

/** Rows of the design's table that other places hold, so that nobody looks for them here. */
const HELD_ELSEWHERE = [
  'Not measured here: batched subscriptions (`npm run bench:pacing`), rows written per event, cost per million,',
  '1,000 hanging receivers.',
].join(' ')

export function table(result: Result): string {
  const [head, ...rows] = [...figureCells(result), [], ...ceilingCells(result)]
  const all = [head ?? [], ...rows]
  const widths = (head ?? []).map((_, column) =>
    Math.max(...all.map((cells) => (cells[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    )
    return padded.join('  ').trimEnd()
  }
  return [...all.map(line), '', ...invalidLines(result), HELD_ELSEWHERE].join('\n')
}

export function markdown(result: Result): string {
  const { machine, commit, databases } = result
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const grid = ([head, ...rows]: string[][]) =>
    [row(head ?? []), row((head ?? []).map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n')
  const software = [machine.node, `miniflare ${machine.miniflare}`, `workerd ${machine.workerd}`]
  if (databases) software.push(databases.postgres, databases.redis)
  const state = `${commit.hash}${commit.dirty ? ', with uncommitted changes' : ''}`
  const hardware = `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}`
  const sections = [
    `# Bench of ${result.startedAt.slice(0, 10)} at ${state}`,
    `${hardware}; ${software.join(', ')}; ${result.rounds} rounds.`,
    grid(figureCells(result)),
    grid([['ceiling', 'median (min–max)'], ...ceilingCells(result)]),
    METHOD,
    [...invalidLines(result), HELD_ELSEWHERE].join('\n'),
    'The raw numbers are in the JSON file of the same name.',
  ]
  return `${sections.join('\n\n')}\n`
}

/** Writes both files and gives their common name. */
export function write(result: Result, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const name = `${result.startedAt.slice(0, 10)}-${result.commit.hash}`
  const content = { ...result, method: METHOD, figures: figures(result.samples) }
  writeFileSync(path.join(directory, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`)
  writeFileSync(path.join(directory, `${name}.md`), markdown(result))
  return name
}

const HEAD = ['figure', 'Posthorn', 'baseline', '/ baseline', '/ ceiling', 'floor', 'goal', 'verdict']

function figureCells(result: Result): string[][] {
  const rows = figures(result.samples).map((figure) => [
    figure.name,
    numbers(figure.posthorn, digitsOf(figure.metric)),
    numbers(figure.baseline, digitsOf(figure.metric)),
    numbers(figure.ofBaseline, 2),
    numbers(figure.ofCeiling, 2),
    demand(figure.floor, figure),
    demand(figure.goal, figure),
    figure.verdict,
  ])
  return [HEAD, ...rows]
}

function ceilingCells(result: Result): string[][] {
  return CEILINGS.flatMap(({ scenario, metric, name }) => {
    const measured = spreadOf(result.samples, 'ceilings', scenario, metric)
    return measured ? [[name, numbers(measured, 0)]] : []
  })
}

function invalidLines(result: Result): string[] {
  const lines = result.samples
    .filter((sample) => !isValid(sample))
    .map(
      ({ round, engine, scenario, errors, delivered, want }) =>
        `INVALID: round ${round}, ${engine}, ${scenario}: ${errors} errors, ${delivered} of ${want} delivered`,
    )
  return lines.length > 0 ? [...lines, ''] : []
}

function digitsOf(metric: Metric): number {
  return metric === 'p99ms' ? 1 : 0
}

function numbers(spread: Spread | null, digits: number): string {
  if (!spread) return '–'
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(spread.median)} (${text(spread.min)}–${text(spread.max)})`
}

function demand({ value, ofBaseline, ofCeiling }: Demand, figure: Figure): string {
  const parts: string[] = []
  if (value !== undefined)
    parts.push(`${figure.metric === 'p99ms' ? '≤' : '≥'} ${value.toLocaleString('en')}`)
  if (ofBaseline !== undefined) parts.push(`× ${ofBaseline}`)
  if (ofCeiling !== undefined) parts.push(`${ofCeiling * 100} % of ceiling`)
  return parts.join(', ')
}
