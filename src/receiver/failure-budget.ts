import * as z from 'zod'

const DAY_SECONDS = 86_400

/** Shortest and longest time of failing before a subscription is disabled, in seconds. */
const AFTER_SECONDS_MIN = 60
const AFTER_SECONDS_MAX = 30 * DAY_SECONDS
/** Most failed attempts that can be asked for before a subscription is disabled. */
const MIN_ATTEMPTS_MAX = 10_000
/** Shortest and longest pause between two probes of a disabled subscription, in seconds. */
const PROBE_SECONDS_MIN = 60
const PROBE_SECONDS_MAX = 7 * DAY_SECONDS

const AFTER = `must be ${AFTER_SECONDS_MIN}-${AFTER_SECONDS_MAX} whole seconds (30 days)`
const ATTEMPTS = `must be a whole number, 1-${MIN_ATTEMPTS_MAX}`
const PROBE = `must be ${PROBE_SECONDS_MIN}-${PROBE_SECONDS_MAX} whole seconds (7 days)`

const disablePolicyShape = {
  enabled: z.boolean('must be true or false').optional(),
  afterSeconds: z.int(AFTER).min(AFTER_SECONDS_MIN, AFTER).max(AFTER_SECONDS_MAX, AFTER).optional(),
  minAttempts: z.int(ATTEMPTS).min(1, ATTEMPTS).max(MIN_ATTEMPTS_MAX, ATTEMPTS).optional(),
  reenableByProbe: z.boolean('must be true or false').optional(),
  probeSeconds: z.int(PROBE).min(PROBE_SECONDS_MIN, PROBE).max(PROBE_SECONDS_MAX, PROBE).optional(),
}

/**
 * Validates a `disablePolicy`, which says when a receiver that only fails is given up. It is stored
 * as given; `resolveDisablePolicy` fills in the rest. Less than an hour of `afterSeconds` is for
 * trying it out.
 */
export const disablePolicySchema = z.strictObject(disablePolicyShape).meta({ id: 'DisablePolicy' })

/** A validated `disablePolicy`. */
type DisablePolicy = z.infer<typeof disablePolicySchema>

/** A `disablePolicy` with nothing left out. */
export type ResolvedDisablePolicy = {
  enabled: boolean
  /** Seconds of nothing but failures. */
  afterSeconds: number
  /** Failed attempts that are needed as well, so that two of them do not disable a quiet subscription. */
  minAttempts: number
  /** True to probe a disabled subscription every `probeSeconds` and to enable it after a success. */
  reenableByProbe: boolean
  probeSeconds: number
}

/** A policy with its defaults: after five days and 20 attempts; null is the default policy. */
export function resolveDisablePolicy(policy: DisablePolicy | null): ResolvedDisablePolicy {
  return {
    enabled: policy?.enabled ?? true,
    afterSeconds: policy?.afterSeconds ?? 5 * DAY_SECONDS,
    minAttempts: policy?.minAttempts ?? 20,
    reenableByProbe: policy?.reenableByProbe ?? false,
    probeSeconds: policy?.probeSeconds ?? 3600,
  }
}

/** Levels, in percent of the budget, at which the owner is told; at 100 the subscription is disabled. */
export const BUDGET_LEVELS = [50, 70, 90, 100] as const
export type BudgetLevel = (typeof BUDGET_LEVELS)[number]

/** The part of its budget that a subscription has spent, as its row keeps it. */
export type FailureBudget = {
  /** The time of the first failure since the last success; null when the last attempt was a success. */
  failingSinceMs: number | null
  /** Failed attempts since then. */
  failedAttempts: number
  /** The highest level that was announced since then; 0 for none. */
  announcedPercent: 0 | BudgetLevel
}

/** A budget of which nothing is spent; a subscription that is enabled again starts from it. */
export const UNSPENT_BUDGET: FailureBudget = { failingSinceMs: null, failedAttempts: 0, announcedPercent: 0 }

/**
 * One claim's attempts; `failures` are those since its last success. `internal` ones are left out:
 * the relay's own faults must not disable a subscription.
 */
export type BudgetObservation = { successes: number; failures: number }

/** The consequence of a budget's state. */
type BudgetVerdict = {
  /** 0-100, rounded down. */
  percent: number
  /** The highest level reached and not announced yet; lower levels that were skipped are not announced. */
  announce: BudgetLevel | null
  disable: boolean
}

/**
 * Applies a claim to the budget, and tells whether a receiver works again whose failing was
 * announced. The SQL does the same: a success clears the three columns, then failures add, with
 * `coalesce(failing_since_ms, now)`.
 */
export function spendBudget(
  state: FailureBudget,
  seen: BudgetObservation,
  nowMs: number,
): { state: FailureBudget; recovered: boolean } {
  const recovered = seen.successes > 0 && state.announcedPercent > 0
  const before = seen.successes > 0 ? UNSPENT_BUDGET : state
  if (seen.failures === 0) return { state: before, recovered }
  const spent = {
    ...before,
    failingSinceMs: before.failingSinceMs ?? nowMs,
    failedAttempts: before.failedAttempts + seen.failures,
  }
  return { state: spent, recovered }
}

/**
 * Compares time and attempts with the budget; the smaller share counts, so that both are needed. To
 * announce once, the write of `announced_percent` must be guarded by its being lower.
 */
export function assessBudget(
  state: FailureBudget,
  policy: ResolvedDisablePolicy,
  nowMs: number,
): BudgetVerdict {
  if (!policy.enabled || state.failingSinceMs === null) return { percent: 0, announce: null, disable: false }
  const timePercent = ((nowMs - state.failingSinceMs) * 100) / (policy.afterSeconds * 1000)
  const attemptsPercent = (state.failedAttempts * 100) / policy.minAttempts
  const percent = Math.max(0, Math.floor(Math.min(timePercent, attemptsPercent, 100)))
  const reached = BUDGET_LEVELS.findLast((level) => level <= percent) ?? 0
  return {
    percent,
    announce: reached !== 0 && reached > state.announcedPercent ? reached : null,
    disable: percent === 100,
  }
}
