/** The likely reason why a request does not verify, in one word each; the list is part of the API. */
export const CAUSES = [
  'missing_header',
  'malformed_header',
  'header_renamed',
  'header_changed',
  'other_profile',
  'other_attempt',
  'secret_missing',
  'secret_invalid',
  'secret_blank',
  'secret_quoted',
  'secret_prefix',
  'secret_not_decoded',
  'secret_decoded',
  'previous_secret',
  'other_secret',
  'other_subscription',
  'body_empty',
  'body_blank',
  'body_printed',
  'body_charset',
  'body_base64',
  'body_quoted',
  'body_cut',
  'body_only',
  'no_timestamp',
  'comparison',
  'timestamp_too_old',
  'timestamp_too_new',
  'unknown',
] as const
export type Cause = (typeof CAUSES)[number]

/** What to do about each, in words for the receiver's developer. */
const ADVICE: Readonly<Record<Cause, string>> = {
  missing_header:
    'Look at the headers before anything filters them: a proxy, a gateway or a framework may pass on only some of them.',
  malformed_header: 'Pass the header on as it came, once, without joining or trimming it.',
  header_renamed:
    'Something between the relay and this code has renamed the header. Read it under the name that it has here, or have it passed on as it came.',
  header_changed: 'Pass the value of the header on as it came: its letters, its case and its prefix count.',
  other_profile: 'Verify by the profile of the subscription, or change the profile of the subscription.',
  other_attempt:
    'Take all headers and the body from the same request: the timestamp is that of the attempt, and each retry has its own.',
  secret_missing: 'Give the secret of the subscription, as the relay shows it.',
  secret_invalid:
    'Copy the secret again, whole. What follows "whsec_" is base64, and a character of it is missing or changed.',
  secret_blank: 'Trim the secret where it is read: a file or a variable often ends in a line break.',
  secret_quoted: 'Take the quotes off the secret: a .env file or a shell has kept them.',
  secret_prefix: 'Give the secret whole, with "whsec_" before it.',
  secret_not_decoded:
    'Decode what follows "whsec_" from base64, and use those bytes as the key: this signature was made with the text as it stands.',
  secret_decoded:
    'Use the whole text of the secret as the key, "whsec_" included where it has that: this signature was made with the decoded bytes.',
  previous_secret:
    'Give the receiver the secret that the subscription has now; the last rotation has changed it.',
  other_secret: 'Give the receiver the secret of this subscription: the one it has is another.',
  other_subscription: 'Give the receiver the secret of the subscription that sent this request.',
  body_empty: 'Read the raw body before anything else does: a parser before this code has used it up.',
  body_blank: 'Do not add to the body, nor trim it: every byte of it is signed.',
  body_printed:
    'Take the raw bytes of the body, before a parser reads them. Parsed and printed again, JSON has other blanks, escapes or digits.',
  body_charset:
    'Take the body as bytes. Decoding and encoding it has changed characters, or a byte order mark.',
  body_base64: 'Decode the body from base64 first: the gateway says so (isBase64Encoded).',
  body_quoted: 'Unwrap the body first: it has been encoded as one JSON string.',
  body_cut: 'Raise the limit of the body: it does not arrive whole.',
  body_only: 'Sign the id, the timestamp and the body, joined by dots, and not the body alone.',
  no_timestamp: 'Put the timestamp of the header and a dot before the body.',
  comparison:
    'The signature that was computed is the right one: look at how it is compared. The header has a prefix, may hold several signatures, and is in hex or in base64 by the profile.',
  timestamp_too_old:
    'Check the clock of the receiver. If it is right, this request is an old one that was sent again by another than the relay, or waited in a queue of your own.',
  timestamp_too_new: 'Check the clock of the receiver: the time of this request lies ahead of it.',
  unknown:
    'Either the secret is another, or the body is not what was sent, to the byte. Log the raw body as base64 and its length, and compare the secret with GET /webhooks/{id}/secret.',
}

/** What to do about a cause. */
export function adviceFor(cause: Cause): string {
  return ADVICE[cause]
}
