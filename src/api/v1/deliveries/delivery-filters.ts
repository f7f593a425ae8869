import * as z from 'zod'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import { DELIVERY_STATES, type DeliveryState } from '../../../model/delivery.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import { ATTEMPT_ERRORS } from './attempt-texts.ts'

const STATUS_HINT = 'must be pending, success, failed or skipped, or several of these joined by commas'

/** Query parameters of every list of deliveries. */
export const deliveryFiltersShape = {
  event: eventPatternSchema.optional(),
  status: z
    .string()
    .refine((text) => text.split(',').every(isState), STATUS_HINT)
    .transform((text) => text.split(',').filter(isState))
    .optional(),
  error: z.enum(ATTEMPT_ERRORS, `must be one of ${ATTEMPT_ERRORS.join(', ')}`).optional(),
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
}

function isState(text: string): text is DeliveryState {
  return (DELIVERY_STATES as readonly string[]).includes(text)
}

const CODE_HINT = 'must be a status such as "503", or a class of them such as "5xx"'

/** A status, or a class of them, as the range of what it stands for. */
export const responseCodeSchema = z
  .string()
  .regex(/^[1-5](\d\d|xx)$/, CODE_HINT)
  .transform((text) =>
    text.endsWith('xx')
      ? { min: Number(text[0]) * 100, max: Number(text[0]) * 100 + 99 }
      : { min: Number(text), max: Number(text) },
  )
  .describe('The status of the last answer, or a class of them: "503", "5xx"')

/** A filter that is on, or left out. */
export const trueSchema = z
  .literal('true', 'must be "true"')
  .transform(() => true)
  .meta({ like: z.literal(true) })
