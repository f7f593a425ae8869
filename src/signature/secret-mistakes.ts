/** A text that cannot be the secret a receiver has; `message` says what would be right. */
type Mistake = { pattern: RegExp; message: string }

/** Marks that a text was copied with something around it, or in place of the secret. */
const MISTAKES: readonly Mistake[] = [
  { pattern: /^v\d+a?,/, message: 'must be the part after "v1,": receivers know the secret without it' },
  { pattern: /^\s|\s$/, message: 'must not begin or end with white space or a line break' },
  { pattern: /\p{Cc}/u, message: 'must not hold line breaks, tabs or other control characters' },
  { pattern: /\\[nrt]$/, message: 'must not end in a backslash and a letter: that was a line break' },
  { pattern: /^(["'`]).*\1$/, message: 'must not stand in quotes: receivers know the secret without them' },
  {
    pattern: /^wh(?:sk|pk)_/,
    message: 'must be a shared secret, not a key of asymmetric signatures: use "asymmetric": true for these',
  },
  {
    pattern: /^(?:\$\{.*\}|\{\{.*\}\}|<.*>|%\w+%|\$[A-Z][A-Z_]+|process\.env\b.*|os\.environ\b.*|env\(.*\))$/,
    message: 'must be the secret itself: this is the name of a variable that was never filled in',
  },
  {
    pattern: /^(?:undefined|\[object \w+\]|[*•●]+)$/,
    message: 'must be the secret itself: this stands in the place of one',
  },
]

/** Says what is wrong with a text that was surely meant to be another one; null where nothing is. */
export function findMistake(secret: string): string | null {
  return MISTAKES.find(({ pattern }) => pattern.test(secret))?.message ?? null
}

/** Words that secrets in examples and by habit are made of; none is made of others in the list. */
const COMMON_WORDS =
  /your|my|the|webhooks?|shared|signing|secrets?|keys?|passw[o0]rd|passwort|pass|token|change|me(?![a-z])|example|sample|test|demo|admin|default|qwerty|letmein|welcome|abc|insert|here|replace|placeholder|dummy|foo|bar|hmac|api/g
const COMMON_DIGITS_MAX = 12
const LENGTH_MIN = 12
const DIFFERENT_CHARACTERS_MIN = 5

/** Says why a secret can be guessed; null where it looks as if it cannot. */
export function findWeakness(secret: string): string | null {
  const rest = secret.toLowerCase().replace(COMMON_WORDS, '')
  const digits = rest.replace(/\D/g, '').length
  if (!/\p{L}/u.test(rest) && digits <= COMMON_DIGITS_MAX) return 'it is made of common words and digits'
  if (secret.length < LENGTH_MIN) return `it has less than ${LENGTH_MIN} characters`
  if (new Set(secret).size < DIFFERENT_CHARACTERS_MIN) return 'it repeats few characters'
  return null
}
