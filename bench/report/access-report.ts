/** What the bench of keys and limits prints and keeps. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Commit, Machine } from '../harness/machine.ts'
import { spread } from '../harness/spread.ts'
import type { Outcome } from './measure.ts'

export const LOADS = ['single16', 'single64', 'bulk'] as const
export type LoadName = (typeof LOADS)[number]
export type Caller = 'operator' | 'key'

export type AccessSample = Outcome & {
  readonly round: number
  readonly load: LoadName
  readonly caller: Caller
}

export type AccessResult = {
  readonly startedAt: string
  readonly commit: Commit
  readonly machine: Machine
  readonly rounds: number
  readonly quick: boolean
  readonly samples: readonly AccessSample[]
}

/** A key's rate is to be within 5 % of the admin key's. */
const RATIO_FLOOR = 0.95

const METHOD = `One relay, no subscriptions. "operator" is the admin key in a workspace without limits; "key" a key of another workspace with one
scope, a range of addresses, and four limits of its own and of its workspace that are counted and never reached. Singles over 16 and
64 connections, bulk of 100 events a request over 4. Each round runs both at once one after the other, in turn the one or the other
first; a ratio is made within its round. Shown are medians (min–max) over the rounds.`

const HEAD = ['load', 'operator (events/s)', 'key (events/s)', 'key / operator', `floor ${RATIO_FLOOR}`]

export function isValid({ errors }: AccessSample): boolean {
  return errors === 0
}

export function table(result: AccessResult): string {
  const all = [HEAD, ...rows(result)]
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)))
  const lines = all.map((cells) => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
  return [...lines, ...invalidLines(result)].join('\n')
}

/** Writes the table and the raw numbers, and gives the files' common name. */
export function write(result: AccessResult, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const name = `${result.startedAt.slice(0, 10)}-${result.commit.hash}-access`
  const content = { ...result, method: METHOD }
  writeFileSync(path.join(directory, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`)
  writeFileSync(path.join(directory, `${name}.md`), markdown(result))
  return name
}

function markdown(result: AccessResult): string {
  const { machine, commit } = result
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const state = `${commit.hash}${commit.dirty ? ', with uncommitted changes' : ''}`
  const sections = [
    `# Publishing by a key, with limits, ${result.startedAt.slice(0, 10)} at ${state}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.node}, miniflare ${machine.miniflare}, workerd ${machine.workerd}; ${result.rounds} rounds.`,
    [line(HEAD), line(HEAD.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows(result).map(line)].join('\n'),
    METHOD,
    ...invalidLines(result),
    'The raw numbers are in the JSON file of the same name.',
  ]
  return `${sections.join('\n\n')}\n`
}

function rows({ samples, quick }: AccessResult): string[][] {
  return LOADS.map((load) => {
    const of = (caller: Caller) =>
      samples.filter((each) => each.load === load && each.caller === caller).map((each) => each.publishPerS)
    const [operator, key] = [of('operator'), of('key')]
    const ratios = key.map((rate, round) => rate / (operator[round] ?? Number.NaN))
    const median = ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? Number.NaN
    const judged = quick ? 'not judged' : median >= RATIO_FLOOR ? 'met' : 'MISSED'
    return [load, spread(operator, 0), spread(key, 0), spread(ratios, 3), judged]
  })
}

function invalidLines({ samples }: AccessResult): string[] {
  return samples
    .filter((sample) => !isValid(sample))
    .map(({ round, load, caller, errors }) => `INVALID: round ${round}, ${load}, ${caller}: ${errors} errors`)
}
