/** Shorter ones would mask half of every text, and are no secret worth the name. */
const REDACTED_LENGTH_MIN = 6

/**
 * Takes credentials out of a text: a receiver may answer with the headers it was sent, as debug endpoints do, and the
 * log must not hold what the database holds encrypted only. `secrets` are found as they are and as in JSON.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= REDACTED_LENGTH_MIN)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
  // The longest first: a secret may be part of another one.
  const found = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (text) => found.reduce((masked, form) => masked.replaceAll(form, MASK), text)
}

/** What answers and logs show in place of a credential. */
export const MASK = '********'
