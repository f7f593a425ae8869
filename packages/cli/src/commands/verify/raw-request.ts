import { Failure } from '../../failure/failure.ts'

/** A request as its receiver saw it. */
export type RawRequest = { headers: Record<string, string | string[]>; body: Uint8Array }

const [LF, CR] = [10, 13]

/** Reads the text of a request: with or without its first line, headers, a blank line, and the body to the last byte. */
export function readRawRequest(bytes: Uint8Array): RawRequest {
  const end = endOfHead(bytes)
  const lines = new TextDecoder().decode(bytes.subarray(0, end.head)).split(/\r?\n/)
  const [first = ''] = lines
  const headers = /^[A-Z]+ \S+( HTTP\/[\d.]+)?$|^HTTP\//.test(first) ? lines.slice(1) : lines
  return { headers: readHeaderLines(headers.filter((line) => line !== '')), body: bytes.subarray(end.body) }
}

/** Reads lines such as `webhook-id: evt_1`. One that comes twice has two values. */
export function readHeaderLines(lines: readonly string[]): RawRequest['headers'] {
  const headers: Record<string, string | string[]> = {}
  for (const line of lines) {
    const [, name, value = ''] = /^([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined)
      throw new Failure('usage', `${JSON.stringify(line)} is no header, such as webhook-id: evt_1.`)
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}

function endOfHead(bytes: Uint8Array): { head: number; body: number } {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== LF) continue
    if (bytes[i + 1] === LF) return { head: i, body: i + 2 }
    if (bytes[i + 1] === CR && bytes[i + 2] === LF) return { head: i, body: i + 3 }
  }
  return { head: bytes.length, body: bytes.length }
}
