import { TIMER_MS_MAX } from '../http/wait.ts'

export type PublisherOptions = {
  /** Events of a request. Default 100, at most 1,000. */
  maxEvents?: number | undefined
  /** Bytes of a request, unless one event alone is larger. Default 1,000,000. */
  maxBytes?: number | undefined
  /** How long an event waits for others while two or more requests are on the way. Default 5. */
  flushAfterMs?: number | undefined
  /** Requests on the way at once. Default 4; 1 keeps the order in which events were pushed. */
  maxInFlight?: number | undefined
  /** Events held at once, those on the way included: more wait in `push` until there is room. Default 10,000. */
  maxHeldEvents?: number | undefined
  /** The same in bytes. Default 32,000,000. */
  maxHeldBytes?: number | undefined
  /** How long an event is tried before its push is rejected with the last error. Default 300,000. */
  giveUpAfterMs?: number | undefined
}

export type PublisherSettings = { [Name in keyof Required<PublisherOptions>]: number }

const DEFAULTS: PublisherSettings = {
  maxEvents: 100,
  maxBytes: 1_000_000,
  flushAfterMs: 5,
  maxInFlight: 4,
  maxHeldEvents: 10_000,
  maxHeldBytes: 32_000_000,
  giveUpAfterMs: 300_000,
}
const LOWEST: Partial<PublisherSettings> = { flushAfterMs: 0, giveUpAfterMs: 0 }
const HIGHEST: Partial<PublisherSettings> = {
  maxEvents: 1_000,
  maxBytes: 10_000_000,
  flushAfterMs: TIMER_MS_MAX,
}

/**
 * Fills in what is not said.
 *
 * @throws TypeError that names the option
 */
export function readPublisherOptions(options: PublisherOptions): PublisherSettings {
  const settings = { ...DEFAULTS }
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) throw new TypeError(`${name} is no option of a publisher`)
    if (value === undefined) continue
    const [lowest, highest] = [LOWEST[name] ?? 1, HIGHEST[name] ?? Number.POSITIVE_INFINITY]
    if (!(value >= lowest && value <= highest)) {
      const range = highest === Number.POSITIVE_INFINITY ? `${lowest} or more` : `${lowest}-${highest}`
      throw new TypeError(`${name} must be ${range}`)
    }
    settings[name] = value
  }
  return settings
}

function isOption(name: string): name is keyof PublisherSettings {
  return Object.hasOwn(DEFAULTS, name)
}
