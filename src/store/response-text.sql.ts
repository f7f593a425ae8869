/** Longest response text kept in the narrow row of its delivery or attempt; a longer one has a row of its own. */
const INLINE_RESPONSE_CHARS_MAX = 256

/** The text for the row itself; null where there is none or it is too long. */
export function inlineResponse(response: string | null): string | null {
  return isLongResponse(response) ? null : response
}

/** Tells a text that needs a row of its own in `response_text`. */
export function isLongResponse(response: string | null): response is string {
  return response !== null && response.length > INLINE_RESPONSE_CHARS_MAX
}

/** SQL for the response to one attempt, wherever it is kept; `row` is a delivery or an attempt, `n` the attempt's number. */
export function responseOf(row: string, n: string): string {
  return `coalesce(${row}.response, (SELECT t.text FROM response_text t
    WHERE t.subscription_no = ${row}.subscription_no AND t.seq = ${row}.seq AND t.n = ${n}))`
}
