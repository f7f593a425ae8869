/**
 * The receivers of the crowd bench, on 127.0.0.1:PORT. The first segment of a path is its group; a group's answers can
 * be changed at any time.
 *
 *   PUT /_/<group>            how the group answers from now on (`Behaviour`)
 *   GET /_/<group>            what it has counted (`GroupReport`)
 *   GET /_/<group>/arrivals   first arrivals by path and event (`Arrivals`)
 *   GET /_/<group>/repeats    second arrivals, of those events that came again
 *   POST /<group>/*           a delivery; its body is read and not looked at
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { type Behaviour, Group } from './sink-group.ts'

/** Connections that may wait to be accepted: thousands come at once. */
const BACKLOG = 4096

const groups = new Map<string, Group>()

function groupOf(name: string): Group {
  const group = groups.get(name) ?? new Group()
  groups.set(name, group)
  return group
}

function deliver(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '/'
  const id = String(request.headers['webhook-id'] ?? '')
  const group = groupOf(path.split('/')[1] ?? '')
  request.on('error', () => {})
  request.resume().on('end', () => {
    const { delayMs, hangs } = group.behaviour
    const status = group.arrive(path, id)
    response.on('close', () => group.end(path, id, response.writableFinished ? status : null))
    if (hangs) return
    const answer = () => response.writeHead(status).end()
    // A timer of 0 ms would still cost a millisecond.
    if (delayMs === 0) answer()
    else setTimeout(answer, delayMs)
  })
}

async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, , name = '', part] = (request.url ?? '').split('/')
  const group = groupOf(name)
  if (request.method === 'PUT') group.behaviour = (await json(request)) as Behaviour
  response.end(JSON.stringify(answerOf(group, part)))
}

function answerOf(group: Group, part: string | undefined): object {
  switch (part) {
    case 'arrivals':
      return group.arrivals()
    case 'repeats':
      return group.repeats()
    default:
      return group.report()
  }
}

const server = http.createServer((request, response) => {
  if (request.url?.startsWith('/_/')) control(request, response).catch(() => response.writeHead(400).end())
  else deliver(request, response)
})
// Longer than any pause within a row, so that no sender meets a connection that has just been closed.
server.keepAliveTimeout = 120_000
server.listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: BACKLOG })
