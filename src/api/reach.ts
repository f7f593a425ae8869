import type { Binding, BoundService, Reach } from '../access/binding.ts'
import type { Caller } from '../access/caller.ts'
import { sha256 } from '../base/secret/digest.ts'
import type { Filters } from '../match/filters.ts'
import { invalidFields, type Problem } from '../model/errors.ts'
import { OPERATIONAL_PREFIX } from '../model/event-type.ts'
import type { UpdateSubscription } from '../subscription/input.ts'
import type { Subscription } from '../subscription/subscription.ts'

/** Throws where a call has been served to a caller who is bound, and nothing has asked to which subscriptions. */
export function requireReach({ forBound }: { forBound: BoundService }, reach: Reach): void {
  if (forBound === 'own' && reach.isIgnored)
    throw new Error('a route that is "own" for bound callers does not ask what they may see')
}

/** The `Idempotency-Key` of a caller as it is kept: those of portal tokens are apart by what the tokens may do. */
export async function keptKey(key: string, caller: Caller): Promise<string> {
  if (caller.kind !== 'portal') return key
  const rights = [caller.binding, [...caller.scopes].sort()]
  // No caller can send a key with a blank in it.
  return `${await sha256(JSON.stringify(rights))} ${key}`
}

type Settings = Omit<UpdateSubscription, 'headers'>

const FOREIGN = 'is not for a token that is bound to subscriptions'

/**
 * The settings that a caller asks for, with the metadata and filters that they are bound to; `current` is what they
 * change, null for what they create. Throws the refusal of settings that would reach beyond their own subscriptions.
 */
export function withinReach<S extends Settings>(asked: S, reach: Reach, current: Subscription | null): S {
  const { binding } = reach
  if (binding === null) return asked
  const problems = [
    ...differing('metadata', asked.metadata ?? {}, binding.metadata),
    ...problemsOfFilters(asked, binding, current),
    ...problemsOfReach(asked, current === null),
  ]
  if (problems.length > 0) throw invalidFields(problems)
  const isNamed = current === null || asked.metadata !== undefined
  return {
    ...asked,
    ...(isNamed && { metadata: { ...asked.metadata, ...binding.metadata } }),
    ...(binding.filters !== undefined &&
      selects(asked, current) && { filters: { ...filtersOf(asked, current), ...binding.filters } }),
  }
}

/** True for settings by which a subscription may get other events than before. */
function selects(asked: Settings, current: Subscription | null): boolean {
  const { events, filters, conditions, conditionLogic, livemode, apiVersion } = asked
  const named = [events, filters, conditions, conditionLogic, livemode, apiVersion]
  return current === null || named.some((value) => value !== undefined)
}

function filtersOf({ filters }: Settings, current: Subscription | null): Filters | null {
  return filters === undefined ? (current?.settings.rules?.filters ?? null) : filters
}

function problemsOfFilters(asked: Settings, binding: Binding, current: Subscription | null): Problem[] {
  if (binding.filters === undefined || !selects(asked, current)) return []
  const filters = filtersOf(asked, current) ?? {}
  if (Array.isArray(filters)) return [{ path: 'filters', message: 'must be an object of paths and values' }]
  return differing('filters', asked.filters == null ? {} : filters, binding.filters)
}

/** The values of a binding that are asked for otherwise. */
function differing(
  path: string,
  asked: Readonly<Record<string, unknown>>,
  bound: Readonly<Record<string, unknown>>,
): Problem[] {
  return Object.entries(bound).flatMap(([name, value]) =>
    Object.hasOwn(asked, name) && asked[name] !== value
      ? [
          {
            path: `${path}.${name}`,
            message: `must be ${JSON.stringify(value)}, which your token is bound to`,
          },
        ]
      : [],
  )
}

function problemsOfReach({ uid, events = [], auth }: Settings, isNew: boolean): Problem[] {
  return [
    // Its answer would tell which ones others have taken.
    ...(isNew && typeof uid === 'string' ? [{ path: 'uid', message: FOREIGN }] : []),
    // These types tell of all subscriptions of the workspace.
    ...events.flatMap((type, i) =>
      type.startsWith(OPERATIONAL_PREFIX) ? [{ path: `events[${i}]`, message: FOREIGN }] : [],
    ),
    // A certificate is the operator's, and speaks for the relay to anyone.
    ...(auth?.type === 'mtls' ? [{ path: 'auth.type', message: FOREIGN }] : []),
  ]
}
