import { styleText } from 'node:util'
import type { SignatureState } from './signatures.ts'
import type { MatchedArrival, Tally } from './tally.ts'

const COLUMNS = [
  { title: 'time', width: 12 },
  { title: 'event', width: 22 },
  { title: 'id', width: 23 },
  { title: 'webhook-signature', width: 17 },
  { title: 'X-Signature', width: 11 },
  { title: 'bytes', width: 5 },
  { title: 'latency', width: 8 },
] as const
const RIGHT_ALIGNED_FROM = 5

type Style = Parameters<typeof styleText>[0]

/** `styleText` leaves the text alone where stdout is no terminal, or NO_COLOR is set. */
function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function showTitle(relayUrl: string, receiverUrl: string, count: number): void {
  console.log(`${paint('bold', 'Posthorn demo')}: ${count} example events, one subscription to "*"`)
  console.log(`  relay     ${relayUrl}`)
  console.log(`  receiver  ${receiverUrl}\n`)
  console.log(paint('dim', row(COLUMNS.map(({ title }) => title)).trimEnd()))
}

/** One line per delivery, padded before it is painted. */
export function showArrival(arrival: MatchedArrival): void {
  const { receivedAt, type, id, signatures, bytes, latencyMs } = arrival
  const time = receivedAt.toISOString().slice(11, 23)
  const cells = [time, type, id, signatures.standard, signatures.hex, String(bytes), milliseconds(latencyMs)]
  const styles: Style[] = ['dim', 'bold', 'dim', styleOf(signatures.standard), styleOf(signatures.hex)]
  console.log(row(cells, styles))
}

/** The closing lines: what arrived, how fast, and whatever is wrong. */
export function showSummary(tally: Tally): void {
  const published = tally.publishedCount
  const missing = tally.missing()
  const unsigned = tally.unsigned()
  const arrived = published - missing.length
  const repeated = tally.matched.length - arrived
  const good = missing.length === 0 && unsigned.length === 0
  const latencies = tally.matched.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
  const verdict = `${arrived} of ${published} events delivered, ${tally.matched.length - unsigned.length} of ${tally.matched.length} deliveries with both signatures right`
  console.log(`\n${paint(good ? 'green' : 'red', verdict)}`)
  if (repeated > 0) console.log(`${repeated} delivered more than once (at least once is what is promised)`)
  if (latencies.length > 0) {
    const median = latencies[Math.floor(latencies.length / 2)] ?? 0
    const slowest = latencies.at(-1) ?? 0
    console.log(`From publish to receiver: median ${milliseconds(median)}, slowest ${milliseconds(slowest)}`)
  }
  for (const { id, type } of missing) console.log(paint('red', `Did not arrive: ${type} ${id}`))
  for (const { id, type, signatures } of unsigned) {
    const states = `webhook-signature ${signatures.standard}, X-Signature ${signatures.hex}`
    console.log(paint('red', `Not signed as it should be: ${type} ${id} (${states})`))
  }
}

function styleOf(state: SignatureState): Style {
  return state === 'ok' ? 'green' : 'red'
}

function row(cells: readonly string[], styles: readonly Style[] = []): string {
  return cells
    .map((cell, i) => {
      const width = COLUMNS[i]?.width ?? 0
      const padded = i < RIGHT_ALIGNED_FROM ? cell.padEnd(width) : cell.padStart(width)
      const style = styles[i]
      return style === undefined ? padded : paint(style, padded)
    })
    .join('  ')
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`
}
