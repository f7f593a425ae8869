/** From raw samples to judged figures. Pure: what is measured and what is demanded of it, in one place. */
import type { Part } from '../harness/options.ts'

export type Scenario = 'single16' | 'single64' | 'bulk' | 'capture' | 'fetch6' | 'fetch50'

/** One run of one scenario against one engine. */
export type Sample = {
  readonly round: number
  readonly engine: Part
  readonly scenario: Scenario
  readonly publishPerS: number
  readonly p50ms: number
  readonly p99ms: number
  readonly deliveredPerS: number
  readonly delivered: number
  readonly want: number
  readonly errors: number
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number }

export type Metric = 'publishPerS' | 'deliveredPerS' | 'p99ms'

/** What has to be reached; every part that is given must be. */
export type Demand = { readonly value?: number; readonly ofBaseline?: number; readonly ofCeiling?: number }

export type FigureRule = {
  readonly name: string
  readonly scenario: Scenario
  readonly metric: Metric
  readonly ceiling?: { readonly scenario: Scenario; readonly metric: Metric; readonly name: string }
  readonly floor: Demand
  readonly goal: Demand
}

export type Verdict = 'goal met' | 'floor met' | 'below floor' | 'invalid' | 'not judged'

export type Figure = FigureRule & {
  readonly posthorn: Spread | null
  readonly baseline: Spread | null
  readonly limit: Spread | null
  readonly ofBaseline: Spread | null
  readonly ofCeiling: Spread | null
  readonly verdict: Verdict
}

const SINGLE = { floor: { ofBaseline: 1.2 }, goal: { ofBaseline: 2.5 } }

/** The part of the design's table that this bench measures. */
export const RULES: readonly FigureRule[] = [
  {
    name: 'single publish, 16 connections (1/s)',
    scenario: 'single16',
    metric: 'publishPerS',
    ceiling: { scenario: 'single16', metric: 'publishPerS', name: 'bare Worker' },
    ...SINGLE,
  },
  {
    name: 'single publish, 64 connections (1/s)',
    scenario: 'single64',
    metric: 'publishPerS',
    ceiling: { scenario: 'single64', metric: 'publishPerS', name: 'bare Worker' },
    ...SINGLE,
  },
  {
    name: 'bulk publish, 100 per request (events/s)',
    scenario: 'bulk',
    metric: 'publishPerS',
    floor: { value: 10_000 },
    goal: { value: 25_000 },
  },
  {
    name: 'end to end, published in bulk (events/s)',
    scenario: 'bulk',
    metric: 'deliveredPerS',
    ceiling: { scenario: 'fetch50', metric: 'deliveredPerS', name: 'bare fetch loop, 50 slots' },
    floor: { ofBaseline: 1.2 },
    goal: { ofBaseline: 2.5, ofCeiling: 0.6 },
  },
  {
    name: 'capture: p99 of a publish at 500/s (ms)',
    scenario: 'capture',
    metric: 'p99ms',
    floor: { value: 100 },
    goal: { value: 25 },
  },
]

/** The ceilings that are worth a line of their own. */
export const CEILINGS: readonly { scenario: Scenario; metric: Metric; name: string }[] = [
  { scenario: 'single16', metric: 'publishPerS', name: 'bare Worker, 16 connections (requests/s)' },
  { scenario: 'single64', metric: 'publishPerS', name: 'bare Worker, 64 connections (requests/s)' },
  { scenario: 'fetch6', metric: 'deliveredPerS', name: 'bare fetch loop, 6 slots (POSTs/s)' },
  { scenario: 'fetch50', metric: 'deliveredPerS', name: 'bare fetch loop, 50 slots (POSTs/s)' },
]

/** A run that lost, doubled or refused events says nothing about speed. */
export function isValid(sample: Sample): boolean {
  return sample.errors === 0 && sample.delivered === sample.want
}

export function figures(samples: readonly Sample[]): Figure[] {
  return RULES.map((rule) => {
    const posthorn = byRound(samples, 'posthorn', rule.scenario, rule.metric)
    const baseline = byRound(samples, 'baseline', rule.scenario, rule.metric)
    const limit = rule.ceiling
      ? byRound(samples, 'ceilings', rule.ceiling.scenario, rule.ceiling.metric)
      : new Map()
    const measured = {
      posthorn: spread(posthorn),
      baseline: spread(baseline),
      limit: spread(limit),
      ofBaseline: spread(ratios(posthorn, baseline)),
      ofCeiling: spread(ratios(posthorn, limit)),
    }
    const valid = samples.filter((sample) => sample.scenario === rule.scenario).every(isValid)
    return { ...rule, ...measured, verdict: valid ? judge(rule, measured) : 'invalid' }
  })
}

type Measured = Pick<Figure, 'posthorn' | 'ofBaseline' | 'ofCeiling'>

function judge(rule: FigureRule, measured: Measured): Verdict {
  const floor = reached(rule.floor, measured, rule.metric)
  const goal = reached(rule.goal, measured, rule.metric)
  if (floor === false) return 'below floor'
  if (goal === true) return 'goal met'
  return floor === true ? 'floor met' : 'not judged'
}

/** Undefined when something that the demand is about was not measured. */
function reached(demand: Demand, measured: Measured, metric: Metric): boolean | undefined {
  const lowerIsBetter = metric === 'p99ms'
  const pairs: [number | undefined, number | undefined][] = [
    [demand.value, measured.posthorn?.median],
    [demand.ofBaseline, measured.ofBaseline?.median],
    [demand.ofCeiling, measured.ofCeiling?.median],
  ]
  const parts = pairs.flatMap(([wanted, got]) => {
    if (wanted === undefined) return []
    if (got === undefined) return [undefined]
    return [lowerIsBetter ? got <= wanted : got >= wanted]
  })
  if (parts.includes(false)) return false
  return parts.includes(undefined) ? undefined : true
}

export function spreadOf(
  samples: readonly Sample[],
  engine: Part,
  scenario: Scenario,
  metric: Metric,
): Spread | null {
  return spread(byRound(samples, engine, scenario, metric))
}

function byRound(samples: readonly Sample[], engine: Part, scenario: Scenario, metric: Metric) {
  const wanted = samples.filter((sample) => sample.engine === engine && sample.scenario === scenario)
  return new Map(wanted.map((sample) => [sample.round, sample[metric]]))
}

/** Ratios are made within a round, because a shared machine is faster in one minute than in the next. */
function ratios(dividends: Map<number, number>, divisors: Map<number, number>): Map<number, number> {
  const pairs = [...dividends].flatMap(([round, dividend]): [number, number][] => {
    const divisor = divisors.get(round)
    return divisor ? [[round, dividend / divisor]] : []
  })
  return new Map(pairs)
}

function spread(values: Map<number, number>): Spread | null {
  const sorted = [...values.values()].sort((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) return null
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? min
  const upper = sorted[Math.ceil((sorted.length - 1) / 2)] ?? max
  return { median: (lower + upper) / 2, min, max }
}
