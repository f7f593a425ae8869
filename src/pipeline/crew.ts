import type { Claim } from '../storage/claims.ts'

/** How long an invocation waits for one piece of work; then it goes on in the background and others get their turn. */
export const STRAGGLER_MS = 500
/** Pieces that one isolate has in the background; beyond that its consumers wait, or memory would fill with what hangs. */
const STRAGGLERS_MAX = 50

/**
 * When to wake the receivers of a claim whose work has ended: when its failed deliveries are due again; at once where it
 * took so long that other deliveries to them have waited for it.
 */
export function wakesAfter(
  { subscriptions }: Pick<Claim, 'subscriptions'>,
  dueMs: ReadonlyMap<number, number>,
  tookMs: number,
  nowMs: number,
): Map<number, number> {
  const waited = tookMs <= STRAGGLER_MS ? [] : subscriptions.map(({ no }) => [no, nowMs] as const)
  // Now is earlier than whatever is due later, which whoever is woken looks up.
  return new Map([...dueMs, ...waited])
}

/** Where an invocation leaves what it does not wait for; counts over all invocations of an isolate. */
export class Stragglers {
  #count = 0

  /** The background of one invocation. */
  of(keepAlive: (work: Promise<unknown>) => void): Background {
    return {
      leave: (work) => {
        if (this.#count >= STRAGGLERS_MAX) return false
        this.#count++
        keepAlive(work.finally(() => this.#count--))
        return true
      },
    }
  }
}

/** Takes a piece of work, which must not reject; false when there is too much already. */
export type Background = { leave: (work: Promise<void>) => boolean }

/**
 * Work that goes on side by side in one invocation. A piece that takes long, since a receiver hangs, is left to the
 * background: neither its invocation nor the queue's next batch waits for it. D1 knows who is responsible all the while.
 */
export class Crew {
  readonly #background: Background
  /** Pieces that are waited for; each is also given to the background when it becomes a straggler. */
  readonly #waited = new Set<Promise<void>>()

  constructor(background: Background) {
    this.#background = background
  }

  /** Begins a piece of work, which must not reject. */
  start(work: Promise<void>): void {
    const ended = Promise.withResolvers<void>()
    let timer = setTimeout(leave, STRAGGLER_MS)
    const background = this.#background
    function leave(): void {
      if (background.leave(work)) ended.resolve()
      else timer = setTimeout(leave, STRAGGLER_MS)
    }
    const waited = Promise.race([work, ended.promise]).finally(() => {
      clearTimeout(timer)
      this.#waited.delete(waited)
    })
    this.#waited.add(waited)
  }

  /** Waits until fewer than `count` pieces are waited for. */
  async room(count: number): Promise<void> {
    while (this.#waited.size >= count) await Promise.race(this.#waited)
  }

  /** Waits for all that is still waited for. */
  async all(): Promise<void> {
    await Promise.all(this.#waited)
  }
}
