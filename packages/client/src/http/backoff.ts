import type { PosthornError } from '../errors.ts'

/** How often and when a call is made again. */
export type Retries = {
  /** Attempts after the first. Default 4. */
  max: number
  /** The wait before the first retry, doubled for each further one. Default 500. */
  firstDelayMs: number
  /** The longest wait of one's own. Default 8,000. */
  maxDelayMs: number
  /** The longest `Retry-After` that is waited for; an error that asks for more is thrown. Default 60,000. */
  maxRetryAfterMs: number
}

const DEFAULTS: Retries = { max: 4, firstDelayMs: 500, maxDelayMs: 8_000, maxRetryAfterMs: 60_000 }

/**
 * Fills in what is not said.
 *
 * @throws TypeError that names the option
 */
export function checkRetries(given: Partial<Retries>): Retries {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of said) {
    if (!(name in DEFAULTS)) throw new TypeError(`retries.${name} is no option`)
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`retries.${name} must be 0 or more`)
  }
  return { ...DEFAULTS, ...(Object.fromEntries(said) as Partial<Retries>) }
}

/** The wait before the next attempt; null where there is to be none. `attempt` counts from 1. */
export function retryDelayMs(
  error: PosthornError,
  retries: Retries,
  { attempt, random }: { attempt: number; random: number },
): number | null {
  if (attempt > retries.max || !error.isTransient) return null
  const asked = error.retryAfterMs ?? 0
  if (asked > retries.maxRetryAfterMs) return null
  return Math.max(asked, jittered(retries, { attempt, random }))
}

/** Doubles with each attempt; half of it is by chance, so that many clients do not come back at once. */
export function jittered(
  { firstDelayMs, maxDelayMs }: Retries,
  { attempt, random }: { attempt: number; random: number },
): number {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1))
  return Math.round(delayMs * (0.5 + random / 2))
}

/** Reads `Retry-After`: seconds, or a date. */
export function readRetryAfter(value: string | null, nowMs: number): number | null {
  if (value === null) return null
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000)
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}
