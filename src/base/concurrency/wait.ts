/** Waits for work, but no longer than some time: then `onLate` answers or throws in its place, and the work goes on. */
export async function withinMs<T>(ms: number, work: Promise<T>, onLate: () => T): Promise<T> {
  const deadline = Promise.withResolvers<void>()
  const timer = setTimeout(deadline.resolve, ms)
  try {
    return await Promise.race([work, deadline.promise.then(onLate)])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits until all of it has ended, also what goes on when something has failed; rejects with the first failure. */
export async function joinAll(works: Iterable<Promise<unknown>>): Promise<void> {
  for (const ended of await Promise.allSettled(works)) {
    if (ended.status === 'rejected') throw ended.reason
  }
}
