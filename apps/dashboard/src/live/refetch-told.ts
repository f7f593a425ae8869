import type { Query } from '@tanstack/react-query'
import { queryClient } from '../api/client.ts'
import { isConcerned, type Told } from './told.ts'

/** Messages are gathered for so long, and what they concern is read at most once in that time. */
const GATHER_MS = 500
/** More messages than these concern as good as everything. */
const TOLD_MAX = 200
/** What costs the relay much is not read again sooner. */
const AGE_MS_MIN: Readonly<Record<string, number>> = {
  '/api/v1/statistics': 5_000,
  '/api/v1/webhooks': 3_000,
  '/api/v1/webhooks/{id}/statistics': 3_000,
}

/** Reads again what pages show, as far as messages of the stream concern it. */
export class ToldRefetcher {
  #told: Told[] | null = []
  #timer: ReturnType<typeof setTimeout> | null = null
  #isReading = false

  take(told: Told | null): void {
    if (told === null || this.#told === null || this.#told.length >= TOLD_MAX) this.#told = null
    else this.#told.push(told)
    this.#plan()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#told = []
  }

  #plan(): void {
    if (this.#timer !== null || this.#isReading) return
    this.#timer = setTimeout(() => void this.#refetch(), GATHER_MS)
  }

  async #refetch(): Promise<void> {
    const told = this.#told
    this.#told = []
    this.#timer = null
    this.#isReading = true
    await queryClient.invalidateQueries({
      predicate: (query) => isConcerned(query.queryKey, told) && isOldEnough(query),
    })
    this.#isReading = false
    if (this.#told === null || this.#told.length > 0) this.#plan()
  }
}

function isOldEnough({ queryKey: [, path], state }: Query): boolean {
  return Date.now() - state.dataUpdatedAt >= (AGE_MS_MIN[String(path)] ?? 0)
}
