/**
 * The receiver, on 127.0.0.1:9099 (or PORT). Answers 204 and counts events, those inside a batch one by one.
 *
 *   GET /n         events counted so far
 *   GET /stats     {"events", "requests"}
 *   POST /hang/*   counted as a request, answered only after HANG_MS (60000)
 *   POST *         counted, answered at once
 */
import http from 'node:http'

const hangMs = Number(process.env.HANG_MS ?? 60_000)
let events = 0
let requests = 0

/** Only a batch is parsed: the receiver shares the machine with what is measured, so it must cost little. */
function eventsIn(body) {
  const isBatch = body.toString('latin1', 0, 40).includes('"batch":true')
  return isBatch ? JSON.parse(body.toString('utf8')).events.length : 1
}

const server = http.createServer((request, response) => {
  if (request.url === '/n') return response.end(String(events))
  if (request.url === '/stats') return response.end(JSON.stringify({ events, requests }))
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    requests++
    response.statusCode = 204
    if (request.url.startsWith('/hang')) return setTimeout(() => response.end(), hangMs)
    events += eventsIn(Buffer.concat(chunks))
    response.end()
  })
})
// Longer than any pause within a bench, so that no sender meets a connection that has just been closed.
server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT ?? 9099), '127.0.0.1')
