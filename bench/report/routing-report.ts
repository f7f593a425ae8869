/** What the bench of publishing to many subscriptions prints and keeps. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Cell } from '../fixtures/routed-workspaces.ts'
import type { Commit, Machine } from '../harness/machine.ts'
import { spread } from '../harness/spread.ts'
import type { Outcome } from './measure.ts'

export type RoutingSample = Cell & {
  readonly round: number
  readonly bulk: Outcome
  readonly single: Outcome
}

export type RoutingResult = {
  readonly startedAt: string
  readonly commit: Commit
  readonly machine: Machine
  readonly rounds: number
  readonly quick: boolean
  readonly samples: readonly RoutingSample[]
  /** Deliveries beside those wanted, counted after the last round. */
  readonly surplus: number
}

const METHOD = `One relay, one workspace per row. Each event is wanted by exactly one of the row's subscriptions. "exact": the
others name other types; "wildcard": other prefixes; "filters": all name the event's type and have two filters each, the second
of which refuses the event. Bulk: 100 events a request over 4 connections; single: over 16. Ratios are to the 1 exact subscription
of the same round; shown are medians (min–max) over the rounds. The load driver and the receiver share the machine's cores.`

const HEAD = ['subscriptions', 'kind', 'bulk (events/s)', '/ 1 exact', 'single (1/s)', '/ 1 exact']

/** Whether a sample lost and doubled nothing. */
export function isValid({ bulk, single }: RoutingSample): boolean {
  return [bulk, single].every(({ errors, delivered, want }) => errors === 0 && delivered === want)
}

export function table(result: RoutingResult): string {
  const all = [HEAD, ...rows(result)]
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)))
  const lines = all.map((cells) => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
  return [...lines, ...invalidLines(result)].join('\n')
}

/** Writes the table and the raw numbers, and gives the files' common name. */
export function write(result: RoutingResult, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const name = `${result.startedAt.slice(0, 10)}-${result.commit.hash}-subscriptions`
  const content = { ...result, method: METHOD }
  writeFileSync(path.join(directory, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`)
  writeFileSync(path.join(directory, `${name}.md`), markdown(result))
  return name
}

function markdown(result: RoutingResult): string {
  const { machine, commit } = result
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const state = `${commit.hash}${commit.dirty ? ', with uncommitted changes' : ''}`
  const sections = [
    `# Publishing to many subscriptions, ${result.startedAt.slice(0, 10)} at ${state}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.node}, miniflare ${machine.miniflare}, workerd ${machine.workerd}; ${result.rounds} rounds.`,
    [line(HEAD), line(HEAD.map((_, i) => (i === 1 ? '---' : '--:'))), ...rows(result).map(line)].join('\n'),
    METHOD,
    ...invalidLines(result),
    'The raw numbers are in the JSON file of the same name.',
  ]
  return `${sections.join('\n\n')}\n`
}

function rows({ samples }: RoutingResult): string[][] {
  const cells = samples.filter(({ round }) => round === 1)
  return cells.map(({ kind, count }) => {
    const own = samples.filter((sample) => sample.kind === kind && sample.count === count)
    const columns = (['bulk', 'single'] as const).flatMap((load) => {
      const rates = own.map((sample) => sample[load].publishPerS)
      const ratios = own.map((sample) => sample[load].publishPerS / baseOf(samples, sample.round, load))
      return [spread(rates, 0), spread(ratios, 2)]
    })
    return [count.toLocaleString('en'), kind, ...columns]
  })
}

/** What the round's workspace with one exact subscription reached. */
function baseOf(samples: readonly RoutingSample[], round: number, load: 'bulk' | 'single'): number {
  const base = samples.find((each) => each.round === round && each.kind === 'exact' && each.count === 1)
  return base?.[load].publishPerS ?? Number.NaN
}

function invalidLines({ samples, surplus }: RoutingResult): string[] {
  const lines = samples
    .filter((sample) => !isValid(sample))
    .map(({ kind, count, round }) => `INVALID: round ${round}, ${count} ${kind}: events were refused or lost`)
  return surplus === 0 ? lines : [...lines, `INVALID: ${surplus} deliveries more than were wanted`]
}
