import type { AttemptError } from '../../../outcome/classify.ts'

/** The part of an attempt, or of a delivery's last one, that its texts are made of. */
type Attempted = { status: number | null; error: string | null; response: string | null }

/** Errors of attempts that made no request. */
const UNSENT: ReadonlySet<string> = new Set<AttemptError>(['blocked', 'template', 'auth', 'internal'])

/**
 * Splits the text of an attempt: with a status it is the receiver's answer; without one it says why there is none, in
 * the words of the platform or of the relay.
 */
export function attemptTexts({ status, error, response }: Attempted): {
  responseBody: string | null
  errorMessage: string | null
  explanation: string | null
} {
  const ownText = status === null ? response : null
  return {
    responseBody: status === null ? null : response,
    errorMessage: error === null ? null : messageOf(error, status, ownText),
    explanation: error !== null && UNSENT.has(error) ? ownText : null,
  }
}

/** Characters of a fault's own words in a message: Cloudflare's are a page. */
const OWN_CHARS_MAX = 200

/** The error in a sentence, followed by its own words; where no request was made, these say all. */
function messageOf(error: string, status: number | null, ownText: string | null): string | null {
  const sentence = errorSentence(error, status)
  if (ownText === null || ownText === '') return sentence
  if (sentence === null || UNSENT.has(error)) return ownText
  return `${sentence.slice(0, -1)}: ${ownText.slice(0, OWN_CHARS_MAX).toWellFormed()}`
}

/** What each error means; `http_status` has its own sentence, with the status in it. */
const SENTENCES: Readonly<Record<AttemptError, string>> = {
  http_status: 'The receiver did not answer with a success.',
  timeout_headers: 'The receiver did not answer within the timeout.',
  timeout_body: 'The answer did not end within the timeout.',
  connection: 'The connection was refused, reset or closed early.',
  refused: 'The receiver refused the connection.',
  tls: "The receiver's certificate was not accepted.",
  dns: "The receiver's name does not resolve.",
  dns_or_tls: "The receiver's name does not resolve, or its certificate was not accepted.",
  blocked: 'The destination is not allowed.',
  template: 'The template failed on this event.',
  auth: 'No credentials could be had.',
  internal: 'The relay failed on the way.',
}

/** The words that the log has for errors. */
export const ATTEMPT_ERRORS = Object.keys(SENTENCES) as AttemptError[]

/** The error in a sentence; null for a word of another version. */
export function errorSentence(error: string, status: number | null): string | null {
  if (error === 'http_status' && status !== null) return `The receiver answered ${status}.`
  return Object.hasOwn(SENTENCES, error) ? SENTENCES[error as AttemptError] : null
}
