import { RelayError } from '../../model/errors.ts'
import { addressOf } from '../caller/auth.ts'

/** The platform's counter, as it is bound: exact at no time, and never slow. */
export type FailureCounter = { limit(options: { key: string }): Promise<{ success: boolean }> }

/** The window of the binding, in wrangler.toml. */
const RETRY_AFTER_SECONDS = 60

/**
 * Counts a failed authentication of an address; throws where it has had too many, so that guessing gets
 * no answer. A valid credential passes from any address. Without the binding nothing is counted.
 */
export async function countFailedAuthentication(
  counter: FailureCounter | undefined,
  headers: Headers,
  error: unknown,
): Promise<void> {
  const address = addressOf(headers)
  const isFailure = error instanceof RelayError && error.code === 'unauthorized'
  if (counter === undefined || address === null || !isFailure) return
  const { success } = await counter.limit({ key: address })
  if (success) return
  throw new RelayError(
    'rate_limited',
    'Too many calls from this address had no valid key; try again later.',
    {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    },
  )
}
