import type { Schemas } from '../api/schemas.ts'
import { lengthInWords, timeOfDay } from './time.ts'

/** Periods that figures are shown of, by the names of the API. */
export const PERIODS = [
  { value: '1h', label: 'Hour', sentence: 'the last hour' },
  { value: '24h', label: 'Day', sentence: 'the last 24 hours' },
  { value: '7d', label: '7 days', sentence: 'the last 7 days' },
  { value: '90d', label: '90 days', sentence: 'the last 90 days' },
] as const
export type Period = (typeof PERIODS)[number]['value']

export const STEP_MS = { hour: 3_600_000, day: 86_400_000 } as const

/** The period of an address; the last day where it names none. */
export function periodOf(text: string | undefined): Period {
  return PERIODS.find(({ value }) => value === text)?.value ?? '24h'
}

export function periodInWords(period: Period): string {
  return PERIODS.find(({ value }) => value === period)?.sentence ?? ''
}

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** A step of a plot: an hour of the clock here, or a day, which are those of UTC. */
export function stepInWords(seconds: number, interval: 'hour' | 'day'): string {
  const date = new Date(seconds * 1_000)
  return interval === 'day' ? `${day.format(date)}, UTC` : timeOfDay(date.toISOString(), Date.now())
}

type Latency = Schemas['WorkspaceStatistics']['totals']['latencyPercentiles']

/** How long receivers take, but for the slowest. */
export function slowestInWords({ p95, p99 }: Latency): string | undefined {
  if (p95 === null || p99 === null) return undefined
  return `95 of 100 within ${lengthInWords(p95)}, 99 within ${lengthInWords(p99)}`
}
