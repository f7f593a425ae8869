/** Shorter secrets would mask half of every text, and protect nothing. */
const REDACTED_LENGTH_MIN = 6

/**
 * Takes credentials out of a text, as they are and as JSON writes them. A receiver may answer with
 * the headers it was sent, and the log must not hold what the database holds encrypted only.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= REDACTED_LENGTH_MIN)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
  // The longest first: a secret may be part of another one.
  const found = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (text) => found.reduce((masked, form) => masked.replaceAll(form, MASK), text)
}

/** Stands for a credential in answers and logs. */
export const MASK = '********'
