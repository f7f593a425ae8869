import * as z from 'zod'
import { DAY_MS } from '../base/time.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const HINT = 'must be a date such as "2024-01-15" or an ISO 8601 time such as "2024-01-15T10:30:00Z"'

const dateTextSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true, local: true })], HINT)

/** A date or a time as the API document shows it. */
const dateLikeSchema = z.string().meta({ id: 'DateOrTime', description: HINT })

/** `dateFrom` in milliseconds: the first instant of a date, or the time itself; UTC without a zone. */
export const dateFromSchema = dateTextSchema
  .transform((text) => timeOf(text))
  .meta({ like: dateLikeSchema, description: 'Accepted at this date or time, or later' })

/** `dateTo`, inclusive: the last millisecond of a date, or the time itself. */
export const dateToSchema = dateTextSchema
  .transform((text) => (DATE.test(text) ? timeOf(text) + DAY_MS - 1 : timeOf(text)))
  .meta({ like: dateLikeSchema, description: 'Accepted at this date or time, or before' })

function timeOf(text: string): number {
  if (DATE.test(text)) return Date.parse(`${text}T00:00:00Z`)
  return Date.parse(/(Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`)
}
