import * as z from 'zod'
import { memberSpans, nestingDepth } from '../../../base/json/members.ts'
import { isRecord } from '../../../base/json/value.ts'
import { NESTING_DEPTH_MAX } from '../../../model/event.ts'
import { eventTypeSchema } from '../../../model/event-type.ts'
import type { TestEvent } from '../../../publish/test-event.ts'
import type { JsonBody } from '../../body/body.ts'
import { invalidInput } from '../../error-response.ts'

const jsonObjectSchema = z
  .custom<object>(isRecord, 'must be a JSON object')
  .refine(isShallow, `must be nested at most ${NESTING_DEPTH_MAX} levels deep`)
  .meta({ like: z.record(z.string(), z.unknown()) })

const namedSchema = z
  .strictObject({
    event: eventTypeSchema.optional(),
    testData: jsonObjectSchema.describe('What the event is about: `data.object` for its receiver').optional(),
    data: jsonObjectSchema.describe('The whole `data`, as it would be published').optional(),
  })
  .refine(({ testData, data }) => testData === undefined || data === undefined, {
    path: ['data'],
    message: 'cannot be combined with "testData", which becomes "data.object"',
  })
const bareSchema = jsonObjectSchema.describe('Test data alone')

/** Body of `POST /webhooks/{id}/test`: named parts, or nothing but the test data. */
export const testBodySchema = z.union([namedSchema, bareSchema])

/** Reads the body of a test call. Throws the refusal. */
export function readTestBody({ text, value }: JsonBody): TestEvent {
  if (isBare(value)) {
    const parsed = bareSchema.safeParse(value)
    if (!parsed.success) throw invalidInput(parsed.error, '')
    return { objectText: text.trim() }
  }
  const parsed = namedSchema.safeParse(value)
  if (!parsed.success) throw invalidInput(parsed.error, '')
  const spans = memberSpans(text, 0)
  const textOf = (name: 'testData' | 'data') => {
    const span = spans.get(name)
    return parsed.data[name] === undefined || span === undefined
      ? undefined
      : text.slice(span.start, span.end)
  }
  return { type: parsed.data.event, objectText: textOf('testData'), dataText: textOf('data') }
}

/** Names of this call, and what they are easily mistaken for. */
const NAMES: readonly string[] = ['event', 'eventtype', 'type', 'data', 'testdata', 'testevent', 'payload']

/** True for an object that names nothing of this call, and so is test data itself. */
function isBare(value: unknown): boolean {
  if (!isRecord(value)) return false
  const names = Object.keys(value).map((name) => name.toLowerCase().replace(/[_-]/g, ''))
  return names.length > 0 && !names.some((name) => NAMES.includes(name))
}

function isShallow(value: unknown): boolean {
  const text = JSON.stringify(value)
  return nestingDepth(text, { start: 0, end: text.length }) <= NESTING_DEPTH_MAX
}
