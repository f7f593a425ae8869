import { chunksOf } from '../chunks.ts'
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

/** Requests that are begun one after another take about half a millisecond each. */
const STARTS_PER_TURN = 20

/** Does work for all items side by side, and lets others have their turn between some starts. Rejects as the first does. */
export async function eachInTurns<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  startsPerTurn = STARTS_PER_TURN,
): Promise<void> {
  const groups: Promise<unknown>[] = []
  for (const group of chunksOf(items, startsPerTurn)) {
    if (groups.length > 0) await sleep(0)
    const done = Promise.all(group.map(work))
    // A group that rejects while the next ones begin is still waited for below.
    done.catch(() => undefined)
    groups.push(done)
  }
  await Promise.all(groups)
}
