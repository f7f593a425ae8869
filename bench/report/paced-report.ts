/** What the bench of batches, orders and limits prints and keeps. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { MODES, type Paced } from '../fixtures/paced-workspaces.ts'
import type { Commit, Machine } from '../harness/machine.ts'
import { spread } from '../harness/spread.ts'
import type { Outcome } from './measure.ts'

export type PacedSample = { readonly round: number; readonly mode: string; readonly outcome: Outcome }
export type LimitedSample = { readonly round: number } & Paced

/** The limit that is held in real time. */
export const LIMIT = { requests: 50, perSeconds: 1 } as const

export type PacedResult = {
  readonly startedAt: string
  readonly commit: Commit
  readonly machine: Machine
  readonly rounds: number
  readonly quick: boolean
  readonly samples: readonly PacedSample[]
  readonly limited: readonly LimitedSample[]
}

const METHOD = `One relay, one workspace and one subscription per row, published to one after the other in every round, 100 events a
request over 4 connections. End to end runs from the first publish to the last event that the receiver has counted; ratios are to
the deliveries that each went alone in the same round. The limit, measured before the loads: a backlog published at once; the rate is that between the first and the last arrival.
Shown are medians (min–max) over the rounds. The load driver and the receiver share the machine's cores.`

const HEAD = ['mode', 'events', 'publish (events/s)', 'end to end (events/s)', '/ each alone']

/** Floor and goal of a batched subscription, in events per second end to end. */
const BATCHED = { mode: 'batches of 100', floor: 10_000, goal: 25_000 }

export function isValid({ outcome: { errors, delivered, want } }: PacedSample): boolean {
  return errors === 0 && delivered === want
}

export function isComplete({ events, arrivedAtMs }: LimitedSample): boolean {
  return arrivedAtMs.length === events
}

export function table(result: PacedResult): string {
  const all = [HEAD, ...rows(result)]
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)))
  const lines = all.map((cells) => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
  return [...lines, '', ...remarks(result)].join('\n')
}

/** Writes the table and the raw numbers, and gives the files' common name. */
export function write(result: PacedResult, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const name = `${result.startedAt.slice(0, 10)}-${result.commit.hash}-pacing`
  writeFileSync(
    path.join(directory, `${name}.json`),
    `${JSON.stringify({ ...result, method: METHOD }, null, 2)}\n`,
  )
  writeFileSync(path.join(directory, `${name}.md`), markdown(result))
  return name
}

function markdown(result: PacedResult): string {
  const { machine, commit } = result
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const state = `${commit.hash}${commit.dirty ? ', with uncommitted changes' : ''}`
  const sections = [
    `# Batches, orders and limits, ${result.startedAt.slice(0, 10)} at ${state}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.node}, miniflare ${machine.miniflare}, workerd ${machine.workerd}; ${result.rounds} rounds.`,
    [line(HEAD), line(HEAD.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows(result).map(line)].join('\n'),
    ...remarks(result),
    METHOD,
    'The raw numbers are in the JSON file of the same name.',
  ]
  return `${sections.join('\n\n')}\n`
}

function rows({ samples }: PacedResult): string[][] {
  return MODES.map(({ name }) => {
    const own = samples.filter(({ mode }) => mode === name)
    const ratios = own.map(({ round, outcome }) => outcome.deliveredPerS / aloneOf(samples, round))
    return [
      name,
      (own[0]?.outcome.want ?? 0).toLocaleString('en'),
      spread(
        own.map(({ outcome }) => outcome.publishPerS),
        0,
      ),
      spread(
        own.map(({ outcome }) => outcome.deliveredPerS),
        0,
      ),
      spread(ratios, 2),
    ]
  })
}

function aloneOf(samples: readonly PacedSample[], round: number): number {
  const alone = samples.find((sample) => sample.round === round && sample.mode === MODES[0]?.name)
  return alone?.outcome.deliveredPerS ?? Number.NaN
}

function remarks({ samples, limited }: PacedResult): string[] {
  const batched = samples.filter(({ mode }) => mode === BATCHED.mode)
  const reached = batched
    .map(({ outcome }) => outcome.deliveredPerS)
    .toSorted((a, b) => a - b)
    .at(batched.length >> 1)
  const verdict = (reached ?? 0) >= BATCHED.goal ? 'goal met' : 'floor met'
  const lines = [
    `Batches of 100: floor ${BATCHED.floor.toLocaleString('en')}, goal ${BATCHED.goal.toLocaleString('en')}: ${(reached ?? 0) < BATCHED.floor ? 'below floor' : verdict}.`,
    `A limit of ${LIMIT.requests} requests per second: ${spread(limited.map(rateOf), 2)} per second, ${spread(limited.map(fullestSecond), 0)} in the fullest second.`,
  ]
  const lost = samples.filter((sample) => !isValid(sample))
  return [
    ...lines,
    ...lost.map(
      ({ mode, round, outcome }) =>
        `INVALID: round ${round}, ${mode}: ${outcome.errors} errors, ${outcome.delivered} of ${outcome.want} delivered`,
    ),
    ...limited
      .filter((sample) => !isComplete(sample))
      .map(({ round, arrivedAtMs, events }) => `INVALID: round ${round}: ${arrivedAtMs.length} of ${events}`),
  ]
}

/** Requests per second between the first arrival and the last. */
export function rateOf({ arrivedAtMs }: Paced): number {
  const spanMs = (arrivedAtMs.at(-1) ?? 0) - (arrivedAtMs[0] ?? 0)
  return ((arrivedAtMs.length - 1) * 1_000) / spanMs
}

/** The most requests that arrived within one second. */
export function fullestSecond({ arrivedAtMs }: Paced): number {
  let first = 0
  let most = 0
  for (const [i, atMs] of arrivedAtMs.entries()) {
    while ((arrivedAtMs[first] ?? atMs) <= atMs - 1_000) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}
