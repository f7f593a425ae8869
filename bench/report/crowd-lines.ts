/** The lines of the crowd bench: a value, its yardstick, and what is demanded of it. Pure. */
import type { Felt } from '../fixtures/neighbour.ts'
import type { Answer } from '../harness/crowd/workspace.ts'

export type Unit = '/s' | 'ms' | 's' | 'MiB' | '%' | ''

/** A value of the same run, under a name that the table shows. */
export type Yardstick = { readonly name: string; readonly value: number | null }

/** Bounds to be reached by the value itself, or by its ratio to the yardstick. */
export type Demand = {
  readonly of: 'value' | 'ratio'
  readonly best: 'high' | 'low'
  readonly floor: number
  readonly goal: number
}

export type Line = {
  readonly figure: string
  /** Null where it could not be measured. */
  readonly value: number | null
  readonly unit: Unit
  readonly yardstick: Yardstick | null
  readonly demand: Demand | null
}

export type Verdict = 'goal met' | 'floor met' | 'below floor' | 'not judged'

type Extras = { readonly unit?: Unit; readonly by?: Yardstick; readonly demand?: Demand }

export function line(figure: string, value: number | null, { unit = '', by, demand }: Extras = {}): Line {
  return { figure, value: finite(value), unit, yardstick: by ?? null, demand: demand ?? null }
}

/** The value in terms of its yardstick; null where there is none, or it is zero. */
export function ratioOf({ value, yardstick }: Line): number | null {
  return value === null || !yardstick?.value ? null : value / yardstick.value
}

/** Null where nothing is demanded. */
export function verdictOf(line: Line): Verdict | null {
  const { demand } = line
  if (demand === null) return null
  const measured = demand.of === 'value' ? line.value : ratioOf(line)
  if (measured === null) return 'not judged'
  const reaches = (bound: number) => (demand.best === 'high' ? measured >= bound : measured <= bound)
  if (reaches(demand.goal)) return 'goal met'
  return reaches(demand.floor) ? 'floor met' : 'below floor'
}

/** Compares a neighbour's figures under a load with those of a quiet relay. */
export function neighbourLines(felt: Felt, quiet: Felt, demands: Partial<NeighbourDemands> = {}): Line[] {
  const by = (value: number) => ({ name: 'quiet', value })
  const publish = { unit: 'ms', by: by(quiet.publishP99Ms) } as const
  const delay = { unit: 'ms', by: by(quiet.delays.p99Ms) } as const
  return [
    line("neighbour's publish, p50", felt.publishP50Ms, { unit: 'ms', by: by(quiet.publishP50Ms) }),
    line("neighbour's publish, p99", felt.publishP99Ms, {
      ...publish,
      ...(demands.publish && { demand: demands.publish }),
    }),
    line("neighbour's first attempt, p50", felt.delays.p50Ms, { unit: 'ms', by: by(quiet.delays.p50Ms) }),
    line("neighbour's first attempt, p99", felt.delays.p99Ms, {
      ...delay,
      ...(demands.delay && { demand: demands.delay }),
    }),
    line("neighbour's publishes refused or not answered", felt.refused),
    line("neighbour's events missing", felt.delays.missing),
  ]
}

/** Counts the calls that were refused, and those that were not answered at all. */
export function answerLines(what: string, answers: readonly Pick<Answer, 'status'>[]): Line[] {
  const by = { name: 'made', value: answers.length }
  const count = (is: (status: number) => boolean) => answers.filter(({ status }) => is(status)).length
  return [
    line(
      `${what}: refused`,
      count((status) => status > 299),
      { by },
    ),
    line(
      `${what}: not answered`,
      count((status) => status === 0),
      { by },
    ),
  ]
}

type NeighbourDemands = { readonly publish: Demand; readonly delay: Demand }

function finite(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : value
}
