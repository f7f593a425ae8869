import { RelayError } from '../model/errors.ts'

/** The parts of a relay that a call may find not ready. */
export type RelayPart = 'settings' | 'database' | 'migrations' | 'sweep'

/** A store that does not answer is back within seconds, most often. */
const RETRY_AFTER_SECONDS = 2
/** Space does not come back by itself. */
const FULL_RETRY_AFTER_SECONDS = 60

/** Makes a refusal for want of a part of the relay; the message says what to do. */
export function unready(
  part: RelayPart,
  message: string,
  retryAfterSeconds: number = RETRY_AFTER_SECONDS,
): RelayError {
  const details = [{ path: part, message }]
  return part === 'settings'
    ? new RelayError('unavailable', message, { details })
    : new RelayError('unavailable', message, { details, retryAfterSeconds })
}

/** Makes the refusal of a relay whose code is newer than its database. */
export function notMigrated(): RelayError {
  const how = 'run `npx wrangler d1 migrations apply posthorn --remote`'
  return unready('migrations', `The database is not migrated yet: ${how}.`)
}

/** Makes the refusal of a relay that is being stopped; nothing was accepted. */
export function stopping(): RelayError {
  return new RelayError('unavailable', 'The relay is stopping. Try again.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
}

/** Failures of D1, R2, queues and Durable Objects that are not this code's, told apart by their texts; the first counts. */
const FAILURES: readonly { pattern: RegExp; refusal: () => RelayError }[] = [
  // Every statement is tested on a migrated database.
  { pattern: /no such (table|column)|has no column named/i, refusal: notMigrated },
  {
    pattern: /SQLITE_FULL|disk is full|maximum DB size/i,
    refusal: () =>
      unready(
        'database',
        'The database or its disk is full. What was accepted before is kept. Free some space, then try again.',
        FULL_RETRY_AFTER_SECONDS,
      ),
  },
  {
    pattern: /SQLITE_(BUSY|LOCKED)|database (table )?is locked|overloaded|too many requests queued/i,
    refusal: () => unready('database', 'The database is busy; nothing is known to be lost. Try again.'),
  },
  {
    // From Cloudflare's page "Debug D1"; R2 begins with the method, and `internal error; reference` may be any of them.
    pattern:
      /D1_ERROR: (?!.*(syntax|constraint))|network connection lost|caused object to be reset|code was updated|storage operation exceeded|internal error; reference = |^\w+: (put|get|head|list|delete): .*\(\d+\)$/i,
    refusal: () =>
      unready(
        'database',
        'The store did not answer; nothing is known to be lost. Try again. Where it lasts on a local relay, its disk may be full.',
      ),
  },
]

/** The refusal for a failure of the store, by the text of its error; null for an error of another kind. */
export function storeRefusal(text: string): RelayError | null {
  return FAILURES.find(({ pattern }) => pattern.test(text))?.refusal() ?? null
}
