import { brotliCompressSync, gzipSync } from 'node:zlib'
import { answers, says } from './behaviours.ts'
import { accepted, cutShort, refused, row } from './expected.ts'
import type { Row } from './run.ts'

const CHARS_MAX = 16_384
const DECODED = 'hello hello hello'

const UNDECODABLE_IS_AN_ANSWER =
  'the head says success and the body came to its end: only its text cannot be shown'

/** Bytes as a text that is written byte for byte. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

const CHUNKED_GZIP = 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n'
const GZIP = latin1(gzipSync(DECODED))
const BROTLI = latin1(brotliCompressSync(DECODED))
const ZSTD = latin1(Buffer.from('KLUv/SARZQAAMGhlbGxvIAEAMUoR', 'base64'))

function coded(coding: string, body: string, status = 200): Row['behaviour'] {
  return answers(status, `Content-Encoding: ${coding}\r\n`, body)
}

function accepts(name: string, behaviour: Row['behaviour'], body: string | null = null): Row {
  return row(name, behaviour, accepted(200, body), { why: UNDECODABLE_IS_AN_ANSWER })
}

/** Bodies that are, or are not, in the coding that their head names. */
const codings: Row[] = [
  accepts('gzip', coded('gzip', GZIP), DECODED),
  accepts('Brotli', coded('br', BROTLI), DECODED),
  ...['gzip', 'br', 'zstd', 'deflate', 'x-gzip', 'gzip, gzip', 'identity', ''].map((coding) =>
    accepts(`an empty body in "${coding}"`, coded(coding, '')),
  ),
  accepts('no chunk of gzip', says(`HTTP/1.1 200 X\r\n${CHUNKED_GZIP}0\r\n\r\n`)),
  accepts('gzip that is none', coded('gzip', 'plain')),
  accepts('gzip that stops', coded('gzip', GZIP.slice(0, 20))),
  accepts('gzip with a wrong checksum', coded('gzip', `${GZIP.slice(0, -8)}12345678`)),
  accepts('gzip with something behind it', coded('gzip', `${GZIP}behind`)),
  accepts('Brotli that is none', coded('br', 'plain')),
  accepts('Brotli that stops', coded('br', BROTLI.slice(0, 5))),
  accepts('a coding nobody knows', coded('snake-oil', 'plain'), 'plain'),
  accepts(
    'Zstandard, which is shown as it came',
    coded('zstd', ZSTD),
    new TextDecoder().decode(Buffer.from(ZSTD, 'latin1')),
  ),
  row('a 500 with gzip that is none', coded('gzip', 'plain', 500), refused(500)),
  row('a 500 with an empty body in gzip', coded('gzip', '', 500), refused(500)),
  row(
    'FIN in gzip',
    says(`HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n${GZIP}`),
    cutShort(),
  ),
  row(
    'FIN before gzip',
    says('HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n'),
    cutShort(),
  ),
  row('a chunk of gzip without a size', says(`HTTP/1.1 200 X\r\n${CHUNKED_GZIP}ZZ\r\n`), cutShort()),
]

/** Bytes that are shown in the log as text. */
const texts: Row[] = [
  row('a body that is not UTF-8', answers(200, '', 'a\xff\xfe\x80b'), accepted(200, 'a���b')),
  row('a body with NUL', answers(500, '', 'a\x00b'), refused(500, 'a\x00b')),
  row('a body of NUL alone', answers(500, '', '\x00'), refused(500, '\x00')),
  row('a body with half a surrogate pair', answers(500, '', 'a\xed\xa0\xbdb'), refused(500, 'a���b')),
  row(
    'a body with both halves of a pair apart',
    answers(500, '', '\xed\xa0\xbd\xed\xb9\x82'),
    refused(500, '������'),
  ),
  row('a body that stops in a character', answers(500, '', 'a\xf0\x9f\x99'), refused(500, 'a�')),
  row('a body with a byte order mark', answers(500, '', '\xef\xbb\xbfa'), refused(500, 'a')),
  row(
    'a body in latin-1 that says so',
    answers(500, 'Content-Type: text/plain; charset=iso-8859-1\r\n', 'caf\xe9'),
    refused(500, 'caf�'),
  ),
  row('a body in UTF-16', answers(500, '', '\xff\xfea\x00'), refused(500, '��a\x00')),
  row(
    'a body of control characters',
    answers(500, '', '\x01\x07\x1b[31m\x7f'),
    refused(500, '\x01\x07\x1b[31m\x7f'),
  ),
  row(
    'a body of line breaks',
    answers(500, '', '\r\n\u2028\n'.replace('\u2028', '\xe2\x80\xa8')),
    refused(500, '\r\n\u2028\n'),
  ),
  row('a content type that is none', answers(500, 'Content-Type: ;;\r\n', 'ok'), refused(500, 'ok')),
  row(
    'a body longer than what is kept',
    answers(500, '', 'c'.repeat(20_000)),
    refused(500, 'c'.repeat(CHARS_MAX)),
  ),
  row(
    'a body with a pair of surrogates where it is cut',
    answers(500, '', `${'c'.repeat(CHARS_MAX - 1)}${latin1(Buffer.from('🙂🙂'))}`),
    refused(500, 'c'.repeat(CHARS_MAX - 1)),
  ),
]

/** Bodies in every form that a log must bear. */
export const bodies: Row[] = [...codings, ...texts]
