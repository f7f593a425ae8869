import type { ReceivedHeaders } from '../verify/headers.ts'
import type { Cause } from './causes.ts'

/** Headers as they may have come, and what has become of them on the way. */
export type HeaderTrial = { cause: Cause; headers: ReceivedHeaders }

/** Headers from which the received ones may have come. */
export function* headersBehind(headers: ReceivedHeaders): Generator<HeaderTrial> {
  yield { cause: 'header_renamed', headers: renamedHeaders(headers) }
  yield { cause: 'header_changed', headers: mapped(headers, { value: plainValue }) }
  yield { cause: 'header_changed', headers: mapped(headers, { name: plainName, value: plainValue }) }
  for (const scheme of ['v1,', 'sha256=']) {
    const value = (text: string, name: string) => (/signature/.test(name) ? scheme : '') + plainValue(text)
    yield { cause: 'header_changed', headers: mapped(headers, { value }) }
  }
}

/** The headers under the names that they had before a gateway or a framework gave them its own. */
export function renamedHeaders(headers: ReceivedHeaders): ReceivedHeaders {
  return mapped(headers, { name: plainName })
}

/** CGI, PHP and Rack write HTTP_WEBHOOK_ID; log lines and gateways webhook_id. */
function plainName(name: string): string {
  return name
    .replace(/^(?:http_|x-forwarded-|x-original-|x-amz-meta-)/, '')
    .replaceAll('_', '-')
    .trim()
}

/** The value without quotes and blanks; hex in the case in which it is sent. */
function plainValue(value: string): string {
  const bare = value.trim().replace(/^(["'])(.*)\1$/s, '$2')
  return bare.replace(/\b[0-9A-F]{40,}$/i, (digits) => digits.toLowerCase())
}

type ValueOf = (value: string, name: string) => string
const asIs = (text: string) => text

function mapped(
  headers: ReceivedHeaders,
  { name = asIs, value = asIs }: { name?: (text: string) => string; value?: ValueOf },
): ReceivedHeaders {
  const renamed = new Map<string, string[]>()
  for (const [given, values] of headers) {
    const known = headers.has(name(given)) && name(given) !== given
    renamed.set(
      known ? given : name(given),
      values.map((each) => value(each, name(given))),
    )
  }
  return renamed
}
