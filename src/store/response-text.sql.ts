/** Longest response text in the narrow row of its attempt; a longer one has a row of its own. */
const INLINE_RESPONSE_CHARS_MAX = 256

/** The text to be kept in the row itself; null for a text that is too long for it. */
export function inlineResponse(response: string | null): string | null {
  return isLongResponse(response) ? null : response
}

/** Tells a text that needs a row of its own in `response_text`. */
export function isLongResponse(response: string | null): response is string {
  return response !== null && response.length > INLINE_RESPONSE_CHARS_MAX
}

/**
 * SQL for the response to one attempt; `row` is a delivery or an attempt, `n` the attempt's number.
 */
export function responseOf(row: string, n: string): string {
  return `coalesce(${row}.response, (SELECT t.text FROM response_text t
    WHERE t.subscription_no = ${row}.subscription_no AND t.seq = ${row}.seq AND t.n = ${n}))`
}
