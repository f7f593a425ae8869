import { expect, test } from 'vitest'
import { redactor } from '../../../../src/base/secret/redaction.ts'

test.each([
  ['a header echoed as JSON', '{"x-api-key":"secret-value"}', '{"x-api-key":"********"}'],
  ['every place it is in', 'secret-value secret-value', '******** ********'],
  ['a secret with quotes, escaped', '{"a":"say \\"hello\\" twice"}', '{"a":"********"}'],
  ['a secret that is part of a longer one', 'secret-value-long', '********'],
  ['nothing of other texts', 'all is well', 'all is well'],
])('credentials are taken out of %s', (_, text, masked) => {
  const redact = redactor(['secret-value', 'secret-value-long', 'say "hello" twice'])
  expect(redact(text)).toBe(masked)
})

test('a value too short to be a secret does not mask half of a text', () => {
  expect(redactor(['a', 'key'])('a key is a key')).toBe('a key is a key')
})
