/**
 * Waits for work up to a time; then `onLate` answers or throws in its place. The work itself goes
 * on.
 */
export async function withinMs<T>(ms: number, work: Promise<T>, onLate: () => T): Promise<T> {
  const deadline = Promise.withResolvers<void>()
  const timer = setTimeout(deadline.resolve, ms)
  try {
    return await Promise.race([work, deadline.promise.then(onLate)])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits until every piece has ended, also after a failure; rejects with the first failure. */
export async function joinAll(works: Iterable<Promise<unknown>>): Promise<void> {
  for (const ended of await Promise.allSettled(works)) {
    if (ended.status === 'rejected') throw ended.reason
  }
}
