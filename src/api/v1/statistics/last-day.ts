import * as z from 'zod'
import { HOUR_MS, hourOf, iso } from '../../../base/time.ts'
import { addCounters, type Counters, emptyCounters, successRate } from '../../../history/counters.ts'

const DAY_HOURS = 24

export const lastDaySchema = z
  .object({
    from: z.string().describe('The beginning of the first hour'),
    delivered: z.int(),
    failed: z.int().describe('Deliveries that failed for good'),
    successRate: z.number().nullable(),
    hours: z.array(z.object({ delivered: z.int(), failed: z.int() })).describe('24 hours, the oldest first'),
  })
  .meta({ id: 'LastDay', description: 'The figures of the last 24 hours, this one included' })

/** Counters of one hour. */
type HourOf = { hour: number; counters: Counters }

/** The first of the hours that are shown. */
export function firstHourOfLastDay(nowMs: number): number {
  return hourOf(nowMs) - DAY_HOURS + 1
}

/** Shows the last day of a subscription. */
export function lastDayAnswer(hours: readonly HourOf[], nowMs: number): z.infer<typeof lastDaySchema> {
  const fromHour = firstHourOfLastDay(nowMs)
  const byHour = new Map(hours.map(({ hour, counters }) => [hour, counters]))
  const shown = Array.from({ length: DAY_HOURS }, (_, i) => byHour.get(fromHour + i) ?? emptyCounters())
  const total = shown.reduce(addCounters, emptyCounters())
  return {
    from: iso(fromHour * HOUR_MS),
    delivered: total.delivered,
    failed: total.failed,
    successRate: total.delivered + total.failed === 0 ? null : successRate(total),
    hours: shown.map(({ delivered, failed }) => ({ delivered, failed })),
  }
}
