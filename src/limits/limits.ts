import * as z from 'zod'
import { parseJsonOrNull } from '../base/json/value.ts'
import { remembered } from '../base/remembered.ts'

/** Limits that bound a rate or a day's use, and so are counted as they are used. */
export const COUNTED_LIMITS = ['requestsPerSecond', 'eventsPerSecond', 'eventsPerDay'] as const
export type CountedLimit = (typeof COUNTED_LIMITS)[number]
/** All limits of a workspace, or of a key. */
export const LIMIT_NAMES = [...COUNTED_LIMITS, 'subscriptions', 'payloadBytes', 'storedEvents'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** The limits of a workspace or a key; null where there is none. */
export type Limits = Record<LimitName, number | null>

/** Far above all that one relay can do. */
const LIMIT_MAX = 1_000_000_000_000

const above0 = limitSchema(1)
const limitsShape = {
  requestsPerSecond: above0.describe('Calls of the API; a second’s calls may come at once'),
  eventsPerSecond: above0.describe('Events sent, duplicates included; a second’s events may come at once'),
  eventsPerDay: above0.describe('Events accepted from one midnight UTC to the next'),
  subscriptions: limitSchema(0).describe('Subscriptions of the workspace that are not deleted'),
  payloadBytes: above0.describe('Bytes of one event’s `data` and `context` together, as they were sent'),
  storedEvents: above0.describe('Events that the workspace keeps, until their retention ends'),
}

/** Limits as a request sets them: those that are named change, null takes one away. */
export const limitsSchema = z
  .strictObject(limitsShape)
  .meta({ id: 'Limits', description: 'Limits; null or left out: none' })
export type LimitsChange = z.infer<typeof limitsSchema>

const inForce = z.int().nullable()
const limitsInForceShape = {
  requestsPerSecond: inForce,
  eventsPerSecond: inForce,
  eventsPerDay: inForce,
  subscriptions: inForce,
  payloadBytes: inForce,
  storedEvents: inForce,
}

/** Limits as answers show them. */
export const limitsInForceSchema = z
  .object(limitsInForceShape)
  .meta({ id: 'LimitsInForce', description: 'Limits; null: none' })

const stored = z.number().nullable().default(null)

/** Limits as they are stored; those never set are null. */
export const storedLimitsSchema = z.object({
  requestsPerSecond: stored,
  eventsPerSecond: stored,
  eventsPerDay: stored,
  subscriptions: stored,
  payloadBytes: stored,
  storedEvents: stored,
})

export const NO_LIMITS: Limits = storedLimitsSchema.parse({})

function limitSchema(min: number) {
  const message = `must be a whole number, at least ${min}, or null for no limit`
  return z.int(message).min(min, message).max(LIMIT_MAX, message).nullable().optional()
}

/** Reads limits from the text of a key's row. */
export function readLimits(text: string | null): Readonly<Limits> {
  return text === null ? NO_LIMITS : parseLimits(text)
}

/** Each call of a key reads its limits. */
const parseLimits = remembered(1_000, (text) => storedLimitsSchema.parse(parseJsonOrNull(text) ?? {}))

/** The text of limits after a change of what it names; null where none are left. */
export function mergeLimits(text: string | null, change: LimitsChange): string | null {
  const merged = { ...readLimits(text), ...change }
  const set = LIMIT_NAMES.flatMap((name) => (typeof merged[name] === 'number' ? [[name, merged[name]]] : []))
  return set.length === 0 ? null : JSON.stringify(Object.fromEntries(set))
}

/** Names of limits that others lack, or exceed. */
export function limitsBeyond(own: Limits, others: Limits): LimitName[] {
  return LIMIT_NAMES.filter((name) => {
    const [limit, other] = [own[name], others[name]]
    return limit !== null && (other === null || other > limit)
  })
}

/** A workspace or a key that has limits. The id is unique in the workspace. */
export type LimitSubject = { id: string; limits: Limits }

export function areSameLimits(one: Limits, other: Limits): boolean {
  return LIMIT_NAMES.every((name) => one[name] === other[name])
}

export const WORKSPACE_SUBJECT = 'workspace'

/** The id of a key as a subject of limits. */
export function keySubject(keyId: string): string {
  return `key:${keyId}`
}

/** The subjects of a call that have any limit: its workspace, and its key if it was made with one. */
export function limitedSubjects(
  workspace: Limits,
  key: { id: string; limits: Limits } | null,
): LimitSubject[] {
  const subjects = [{ id: WORKSPACE_SUBJECT, limits: workspace }]
  if (key !== null) subjects.push({ id: keySubject(key.id), limits: key.limits })
  return subjects.filter(({ limits }) => LIMIT_NAMES.some((name) => limits[name] !== null))
}

/** True where any of the limits is counted as it is used. */
export function areCounted(subjects: readonly LimitSubject[]): boolean {
  const names = [...COUNTED_LIMITS, 'storedEvents'] as const
  return subjects.some(({ limits }) => names.some((name) => limits[name] !== null))
}

/** The lowest limit of a name, and whose it is; null where nothing limits it. */
export function lowestLimit(
  subjects: readonly LimitSubject[],
  name: LimitName,
): { subject: string; limit: number } | null {
  const found = subjects.flatMap(({ id, limits }) => {
    const limit = limits[name]
    return limit === null ? [] : [{ subject: id, limit }]
  })
  return found.sort((one, other) => one.limit - other.limit)[0] ?? null
}
