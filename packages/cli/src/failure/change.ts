import type { Shell } from '../shell/shell.ts'
import { Failure } from './failure.ts'

/**
 * Makes a change that Ctrl-C breaks off: the relay may have made it all the same, which the failure says. `next` is the
 * way to find out, or to make sure.
 */
export async function change<T>(
  { shell: { signal } }: { shell: Pick<Shell, 'signal'> },
  next: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!signal.aborted) throw error
    throw new Failure('interrupted', 'Stopped while the relay was at it: it may be done all the same.', {
      next,
    })
  }
}
