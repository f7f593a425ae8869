import * as hostile from './behaviours.ts'
import { answers, answersEarly, goesAway, inTurn, says } from './behaviours.ts'
import { bodies } from './bodies.ts'
import { accepted, cutShort, fault, refused, row, timeout } from './expected.ts'
import { retryAfterRows } from './retry-after.ts'
import type { Row } from './run.ts'
import { unreachable } from './unreachable.ts'

const GIGABYTE = 1_073_741_824
const CHARS_MAX = 16_384
const OK = 'HTTP/1.1 200 OK\r\n'
const OK_WITH_LENGTH = `${OK}Content-Length: 2\r\n\r\nok`
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

const CUT_SHORT_IS_NO_ANSWER = 'a 2xx whose body does not come to its end is tried again: at least once'

const large = { isLarge: true }

/** An answer whose body is nothing and whose status line is the text's. */
function bare(status: number | string): Row['behaviour'] {
  return says(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`)
}

function byCloudflare(status: number): Row['behaviour'] {
  return answers(status, 'Server: cloudflare\r\n')
}

const statuses: Row[] = [
  ...[200, 201, 204, 205, 206, 226, 299].map((code) => row(`${code}`, bare(code), accepted(code))),
  ...[304, 400, 401, 404, 408, 425, 429, 500, 503, 511, 599].map((code) =>
    row(`${code}`, bare(code), refused(code)),
  ),
  row('410, which is for good', bare(410), refused(410, null, null)),
  // No HTTP has them, but three digits are a status: the log shows what came.
  ...[600, 999].map((code) => row(`${code}, which is none`, bare(code), refused(code))),
  ...['42', '1234', 'abc', '000'].map((text) =>
    row(`"${text}" for a status`, bare(text), fault('connection')),
  ),
  row('500, 500, 200', inTurn(answers(500), answers(500), answers(200)), accepted(), {
    schedule: [0.5, 0.5],
    earlier: [500, 500],
  }),
  row('520 of its own', bare(520), refused(520)),
  // As production answers for receivers it cannot reach.
  ...[520, 523, 527].map((code) => row(`${code} by Cloudflare`, byCloudflare(code), fault('connection'))),
  ...[522, 524].map((code) => row(`${code} by Cloudflare`, byCloudflare(code), fault('timeout_headers'))),
  ...[525, 526].map((code) => row(`${code} by Cloudflare`, byCloudflare(code), fault('tls'))),
  row('521 by Cloudflare', byCloudflare(521), fault('refused')),
  row('530 by Cloudflare', byCloudflare(530), fault('dns')),
  ...[528, 529].map((code) => row(`${code} by Cloudflare`, byCloudflare(code), refused(code))),
  row('204 with a body', says('HTTP/1.1 204 X\r\nContent-Length: 4\r\n\r\nbody'), accepted(204)),
  row('304 with a body', says('HTTP/1.1 304 X\r\nContent-Length: 4\r\n\r\nbody'), refused(304)),
]

const interim: Row[] = [
  row('100 before the answer', says(`HTTP/1.1 100 Continue\r\n\r\n${OK_WITH_LENGTH}`), accepted(200, 'ok')),
  row(
    '103 before the answer',
    says(`HTTP/1.1 103 X\r\nLink: </a>\r\n\r\n${OK_WITH_LENGTH}`),
    accepted(200, 'ok'),
  ),
  row('100 and then nothing', says('HTTP/1.1 100 Continue\r\n\r\n'), fault('connection')),
  row('103 for ever', hostile.onlyHints, timeout('timeout_headers')),
  row(
    '101, another protocol',
    says('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 'stay'),
    refused(101),
  ),
]

const slow: Row[] = [
  row(
    'an answer well within the timeout',
    hostile.waits(1_000, answers(200, '', 'late')),
    accepted(200, 'late'),
  ),
  row('an answer dripped in time', hostile.drips(OK_WITH_LENGTH, 10), accepted(200, 'ok')),
  row('no answer', hostile.silent, timeout('timeout_headers')),
  row(
    'headers dripped for too long',
    hostile.drips(`${OK}${'X: y\r\n'.repeat(20)}`, 100),
    timeout('timeout_headers'),
  ),
  row('a 200 dripped without end', hostile.dripsForEver(200, 100), timeout('timeout_body')),
  row('a 500 dripped without end', hostile.dripsForEver(500, 100), refused(500), {
    why: 'a failure has said what it is with its status',
  }),
  row(
    'a 200 that stops in its body',
    says(`${OK}Content-Length: 9\r\n\r\nabc`, 'stay'),
    timeout('timeout_body'),
  ),
  row(
    'a 503 that stops in its body, with Retry-After',
    says('HTTP/1.1 503 X\r\nRetry-After: 7200\r\nContent-Length: 9\r\n\r\nabc', 'stay'),
    refused(503, null, 7_200),
  ),
  row('a request nobody reads', hostile.takesNothing, timeout('timeout_headers')),
  row('a large request nobody reads', hostile.takesNothing, timeout('timeout_headers'), large),
  row('a large request read slowly', hostile.takesSlowly, timeout('timeout_headers'), large),
]

const huge: Row[] = [
  row('a 200 with a gigabyte', hostile.floods(200, GIGABYTE), accepted(200, 'f'.repeat(CHARS_MAX))),
  row('a 500 with a gigabyte', hostile.floods(500, GIGABYTE), refused(500, 'f'.repeat(CHARS_MAX))),
  row('a 200 whose chunks never end', hostile.floods(200, null), accepted(200, 'f'.repeat(CHARS_MAX))),
  row('a gzip bomb', hostile.bombs(200), accepted(200, 'b'.repeat(CHARS_MAX))),
  row('a gzip bomb with a 500', hostile.bombs(500), refused(500, 'b'.repeat(CHARS_MAX))),
  row('a header of 64 KB', answers(200, `X-A: ${'a'.repeat(65_536)}\r\n`, 'ok'), accepted(200, 'ok')),
  row('a header of 1 MB', answers(200, `X-A: ${'a'.repeat(1_048_576)}\r\n`, 'ok'), fault('connection')),
  row('thousands of headers', answers(200, 'X-A: a\r\n'.repeat(5_000), 'ok'), accepted(200, 'ok')),
  row('headers without end', hostile.endlessHeaders, fault('connection')),
]

const framing: Row[] = [
  row(
    'two framings at once',
    says(`${OK}Content-Length: 3\r\n${CHUNKED.slice(OK.length)}2\r\nok\r\n0\r\n\r\n`),
    accepted(200, 'ok'),
  ),
  row('two lengths', says(`${OK}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`), fault('connection')),
  row('a negative length', says(`${OK}Content-Length: -1\r\n\r\nabc`), fault('connection')),
  row(
    'a length beyond all numbers',
    says(`${OK}Content-Length: ${'9'.repeat(30)}\r\n\r\nabc`),
    fault('connection'),
  ),
  row('a chunk without a size', says(`${CHUNKED}ZZ\r\nabc\r\n0\r\n\r\n`), cutShort()),
  row('a chunk longer than it says', says(`${CHUNKED}3\r\nabcdef\r\n0\r\n\r\n`), cutShort()),
  row('a chunk of more than 2^64 bytes', says(`${CHUNKED}${'f'.repeat(18)}\r\nabc`), cutShort()),
  row('no last chunk', says(`${CHUNKED}3\r\nabc\r\n`), cutShort(), { why: CUT_SHORT_IS_NO_ANSWER }),
  row('HTTP/1.0', says('HTTP/1.0 200 OK\r\n\r\nold'), accepted(200, 'old')),
  row('HTTP/1.0 and 503', says('HTTP/1.0 503 X\r\nRetry-After: 7200\r\n\r\nold'), refused(503, 'old', 7_200)),
  row('no reason phrase', says('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'), accepted()),
  row('an empty reason phrase', says('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'), accepted()),
  row('a reason phrase of latin-1', says('HTTP/1.1 500 \xe4\xff\r\nContent-Length: 0\r\n\r\n'), refused(500)),
  row(
    'a reason phrase of 8 KB',
    says(`HTTP/1.1 500 ${'r'.repeat(8_192)}\r\nContent-Length: 0\r\n\r\n`),
    refused(500),
  ),
  row('lines that end in LF', says('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'), accepted(200, 'ok')),
]

const garbage: Row[] = [
  row('SSH', says('SSH-2.0-OpenSSH_9.6\r\n', 'stay'), fault('connection')),
  row('bytes', says('\x00\x01\xff\xfe\r\n\r\n'), fault('connection')),
  row('HTML without a head', says('<html>hello</html>'), fault('connection')),
  row('HTTP/2.0', says('HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'), fault('connection')),
  row('a TLS alert', says('\x15\x03\x01\x00\x02\x02\x46'), fault('connection')),
  row('NUL in a header', says(`${OK}X-A: a\x00b\r\nContent-Length: 0\r\n\r\n`), fault('connection')),
  row('CR in a header', says(`${OK}X-A: a\rb\r\nContent-Length: 0\r\n\r\n`), fault('connection')),
  row('a header without a colon', says(`${OK}nothing\r\nContent-Length: 0\r\n\r\n`), fault('connection')),
  row('a folded header', says(`${OK}X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n`), fault('connection')),
  row('a header that is not ASCII', answers(200, 'X-A: \xe4\xff\r\n', 'ok'), accepted(200, 'ok')),
  row('a header twice', answers(500, 'X-A: a\r\nX-A: b\r\n', 'ok'), refused(500, 'ok')),
  row('an empty header', answers(500, 'X-A:\r\n', 'ok'), refused(500, 'ok')),
  row('a header of UTF-8', answers(500, 'X-A: \xc3\xa4\xf0\x9f\x99\x82\r\n', 'ok'), refused(500, 'ok')),
  row(
    'a header of control characters',
    answers(500, 'X-A: a\x01\x07\x1b[31m\x7f\r\n', 'ok'),
    refused(500, 'ok'),
  ),
]

const closed: Row[] = [
  row('FIN instead of an answer', says(''), fault('connection')),
  row('FIN before the request is read', goesAway('close', 0), fault('connection')),
  row('RST before the request is read', goesAway('reset', 0), fault('connection')),
  row('FIN in a large request', goesAway('close', 500_000), fault('connection'), large),
  row('RST in a large request', goesAway('reset', 500_000), fault('connection'), large),
  row('half-closed without an answer', hostile.halfCloses(''), fault('connection')),
  row('half-closed after an answer', hostile.halfCloses(`${OK}\r\nhalf`), accepted(200, 'half')),
  row('FIN in the status line', says('HTTP/1.1 20'), fault('connection')),
  row('FIN in a header', says(`${OK}Content-Le`), fault('connection')),
  row('FIN in a 200’s body', says(`${OK}Content-Length: 9\r\n\r\nabc`), cutShort(), {
    why: CUT_SHORT_IS_NO_ANSWER,
  }),
  row('FIN in a 500’s body', says('HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\nabc'), refused(500)),
  row('RST in a 200’s body', says(`${OK}Content-Length: 9\r\n\r\nabc`, 'reset'), cutShort()),
  row('RST in a 500’s body', says('HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\nabc', 'reset'), refused(500)),
  row('a kept connection that dies when it is used again', hostile.diesOnReuse(500), refused(500, 'alive'), {
    schedule: [0.5, 600],
    earlier: [500],
    repeats: 1,
    why: 'the receiver may have closed it before the request came: it is sent once more at once, under the same id',
  }),
  row(
    'a kept connection that was closed meanwhile',
    inTurn(says('HTTP/1.1 500 X\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n'), answers(200)),
    accepted(),
    { schedule: [0.5], earlier: [500] },
  ),
  row('an answer nobody asked for, behind a 500', hostile.answersTwice(500, OK_WITH_LENGTH), refused(500), {
    schedule: [0.5, 600],
    earlier: [500],
    why: 'it must not become the answer to the next attempt',
  }),
]

const early: Row[] = [
  row('an answer before the body, then FIN', answersEarly(200, 1_000, 'end'), accepted(200, 'early'), large),
  row(
    'an answer in the middle of the body, of which the rest is never read',
    answersEarly(200, 4_000_000, 'stay'),
    accepted(200, 'early'),
    large,
  ),
  row(
    'an answer before the body, which is read later',
    answersEarly(200, 1_000, 'drain'),
    accepted(200, 'early'),
    large,
  ),
  row('a 413 before the body, then FIN', answersEarly(413, 1_000, 'end'), refused(413, 'early'), large),
]

/** Every behaviour with its outcome. `redirectTo` is where nothing may ever arrive. */
export function tableOf(redirectTo: string): Row[] {
  const redirects = [301, 302, 303, 307, 308].map((code) =>
    row(`${code} to another receiver`, answers(code, `Location: ${redirectTo}\r\n`), refused(code)),
  )
  const toItself = row('302 to itself', answers(302, 'Location: /hooks\r\n'), refused(302))
  const toNowhere = row('302 to no URL', answers(302, 'Location: http://[::bad\r\n'), refused(302))
  return [
    ...[...statuses, ...interim, ...redirects, toItself, toNowhere, ...retryAfterRows()],
    ...[...slow, ...huge, ...bodies, ...framing, ...garbage, ...closed, ...early, ...unreachable],
  ]
}
