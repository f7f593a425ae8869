/** Waits until all of it has ended, also what goes on when something has failed; rejects with the first failure. */
export async function allEnded(works: Iterable<Promise<unknown>>): Promise<void> {
  for (const ended of await Promise.allSettled(works)) {
    if (ended.status === 'rejected') throw ended.reason
  }
}
