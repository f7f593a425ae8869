import { sleep } from '../time.ts'

/** A step that waited long for its database, which others kept busy, need not make room for as long. */
const REST_MS_MAX = 50

/**
 * Runs one step of upkeep, then leaves the machine to others for as long as the step took. A database that shares this
 * thread would otherwise answer step after step before any request is read.
 */
export async function inTurn<T>(now: () => number, step: () => Promise<T>): Promise<T> {
  const startedAtMs = now()
  const result = await step()
  await sleep(Math.min(REST_MS_MAX, now() - startedAtMs))
  return result
}
