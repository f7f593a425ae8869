import { BoundedMap } from '../../../base/concurrency/bounded-map.ts'

const ORIGINS_MAX = 10_000

/** Idle connections are kept about so long, by either side. */
const KEPT_MS_MAX = 120_000

/** The origin of a listener's address, to which the relay makes no connection. */
const NO_ORIGIN = 'null'

/** Receivers to which a connection may have been kept: they may close it in the moment it is used again. */
export class KeptConnections {
  readonly #answeredAtMs = new BoundedMap<string, number>(ORIGINS_MAX)

  answered(url: string, atMs: number): void {
    const { origin } = new URL(url)
    if (origin !== NO_ORIGIN) this.#answeredAtMs.set(origin, atMs)
  }

  mayBeKept(url: string, nowMs: number): boolean {
    const answeredAtMs = this.#answeredAtMs.get(new URL(url).origin)
    return answeredAtMs !== undefined && nowMs - answeredAtMs <= KEPT_MS_MAX
  }
}
