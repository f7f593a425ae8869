/** What work comes to, or `late` as a rejection when it takes longer; the work itself goes on. */
export async function withinMs<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(() => deadline.reject(late()), ms)
  try {
    return await Promise.race([work, deadline.promise])
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
