import * as z from 'zod'
import { nestingDepth } from '../base/json/members.ts'
import { parseJsonOrNull } from '../base/json/value.ts'
import { containsText } from '../match/contains-text.ts'
import { type Scalar, scalarSchema } from '../match/operator.ts'
import { fieldPathSchema, follow, namesOf } from '../model/event-view.ts'
import { GONE_STATUS } from './classify.ts'

/** Most response rules of one subscription. */
const RESPONSE_RULES_MAX = 20
/** Longest text a rule can look for in an answer, in characters. */
export const BODY_CONTAINS_CHARS_MAX = 1000
/** Most statuses, classes and ranges in one rule. */
const STATUSES_MAX = 20
/** Answers nested deeper than this are not looked into. */
const ANSWER_DEPTH_MAX = 128

const STATUS =
  'must be a status of 200-599, a class such as "5xx", a range such as "500-503", or a list of these'
const CLASS = /^([2-5])xx$/
const RANGE = /^([2-5]\d\d)-([2-5]\d\d)$/

const oneStatusSchema = z.union(
  [
    z.int(STATUS).min(200, STATUS).max(599, STATUS),
    z.string().refine((text) => spanOf(text) !== null, STATUS),
  ],
  STATUS,
)
const statusSchema = z
  .union([oneStatusSchema, z.array(oneStatusSchema, STATUS).min(1, STATUS).max(STATUSES_MAX, STATUS)], STATUS)
  .meta({ example: ['5xx', '408-409', 423] })

const CONTAINS = `must be a string of 1-${BODY_CONTAINS_CHARS_MAX} characters`
const OUTCOME = 'must be "success", "retry" or "final"'

const ruleSchema = z
  .strictObject(
    {
      status: statusSchema.optional(),
      bodyContains: z.string(CONTAINS).min(1, CONTAINS).max(BODY_CONTAINS_CHARS_MAX, CONTAINS).optional(),
      bodyJson: z
        .strictObject(
          { path: fieldPathSchema, equals: scalarSchema },
          'must be an object of "path" and "equals"',
        )
        .optional(),
      outcome: z.enum(['success', 'retry', 'final'], OUTCOME),
      respectRetryAfter: z
        .boolean()
        .optional()
        .describe('With "retry": whether the answer\'s Retry-After counts. Left out, as for its status'),
    },
    'must be an object of "status", "bodyContains" or "bodyJson", and "outcome"',
  )
  .refine((rule) => [rule.status, rule.bodyContains, rule.bodyJson].some((asked) => asked !== undefined), {
    message: 'must name at least one of status, bodyContains, bodyJson',
  })
  .refine((rule) => rule.respectRetryAfter === undefined || rule.outcome === 'retry', {
    path: ['respectRetryAfter'],
    message: 'goes with the outcome "retry" only',
  })
  .meta({ id: 'ResponseRule' })

const LIST = `must be a list of at most ${RESPONSE_RULES_MAX} response rules`

/**
 * Validates `responseRules`, which say what a receiver's answer means: by its status, by a text in
 * it or by a value in its JSON. All members that a rule names must hold.
 */
export const responseRulesSchema = z.array(ruleSchema, LIST).max(RESPONSE_RULES_MAX, LIST)

export type ResponseRule = z.infer<typeof ruleSchema>
/** The meaning that a rule gives to an answer. */
export type ResponseVerdict = Pick<ResponseRule, 'outcome' | 'respectRetryAfter'>

/**
 * The receiver's own answer, never one that Cloudflare made for it. `text` is the part that the log
 * keeps, at most 16,384 characters.
 */
type ReceiverAnswer = { status: number; text: string }

/**
 * The verdict of the first matching rule; null when none matches and the usual classes count. Only
 * a rule that names 410 itself gives it another meaning than gone. JSON that is cut, broken or
 * nested too deeply has no values. Never throws.
 */
export function applyResponseRules(
  rules: readonly ResponseRule[] | null,
  answer: ReceiverAnswer,
): ResponseVerdict | null {
  if (rules === null || rules.length === 0) return null
  const parsed = new ParsedOnce(answer.text)
  return rules.find((rule) => matches(rule, answer, parsed)) ?? null
}

/** An answer's JSON, parsed only when a rule asks for it. */
class ParsedOnce {
  readonly #text: string
  #parsed: { value: unknown } | null = null

  constructor(text: string) {
    this.#text = text
  }

  /** The answer as a value; null where it is not JSON. */
  value(): unknown {
    this.#parsed ??= { value: parseShallow(this.#text) }
    return this.#parsed.value
  }
}

function matches(rule: ResponseRule, { status, text }: ReceiverAnswer, parsed: ParsedOnce): boolean {
  const { bodyContains, bodyJson } = rule
  if (!statusMatches(rule, status)) return false
  if (bodyContains !== undefined && !containsText(text, bodyContains)) return false
  if (bodyJson === undefined) return true
  return follow(parsed.value(), namesOf(bodyJson.path)).some((found) => holds(found, bodyJson.equals))
}

function statusMatches({ status: asked }: ResponseRule, status: number): boolean {
  const list = asked === undefined ? [] : Array.isArray(asked) ? asked : [asked]
  if (list.includes(status)) return true
  if (status === GONE_STATUS) return false
  return asked === undefined || list.some((one) => typeof one === 'string' && covers(one, status))
}

function covers(text: string, status: number): boolean {
  const span = spanOf(text)
  return span !== null && span.from <= status && status <= span.to
}

/** The first and last status of a class or a range; null for other texts and for empty ranges. */
function spanOf(text: string): { from: number; to: number } | null {
  const [, digit] = CLASS.exec(text) ?? []
  if (digit !== undefined) return { from: Number(digit) * 100, to: Number(digit) * 100 + 99 }
  const [, from = '', to = ''] = RANGE.exec(text) ?? []
  return from !== '' && from <= to ? { from: Number(from), to: Number(to) } : null
}

/** An array at the path's end stands for its elements, as in filters. */
function holds(found: unknown, equals: Scalar): boolean {
  return Array.isArray(found) ? found.some((element) => element === equals) : found === equals
}

function parseShallow(text: string): unknown {
  const isDeep = nestingDepth(text, { start: 0, end: text.length }) > ANSWER_DEPTH_MAX
  return isDeep ? null : parseJsonOrNull(text)
}
