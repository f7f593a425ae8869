import type { Context, Hono } from 'hono'
import { PROTOCOL, TICKET_PREFIX } from '../../../listen/protocol.ts'
import { invalidField, RelayError } from '../../../model/errors.ts'
import type { Relay } from '../../../relay.ts'
import type { AppEnv } from '../../context.ts'
import { API_PREFIXES } from '../../define-route.ts'
import { type RelaySource, requireRelay } from '../../guard.ts'
import { countFailedAuthentication } from '../../limits/failed-authentications.ts'

const LISTENER_ID = /^webhook_[0-9a-f]{32}$/

/**
 * `GET /listeners/{id}/socket`: the WebSocket of a listener. It comes with its ticket in place of a key, as a
 * subprotocol: browsers and runtimes can set no header, and addresses are logged.
 */
export function mountListenerSocket(app: Hono<AppEnv>, relayOf: RelaySource): void {
  for (const prefix of API_PREFIXES) {
    app.get(
      `${prefix}/listeners/:id/socket`,
      async (c) => await connect(c, requireRelay(await relayOf(c.env))),
    )
  }
}

async function connect(c: Context<AppEnv>, { listeners }: Relay): Promise<Response> {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
    throw invalidField('Upgrade', 'must be "websocket"')
  const protocols = (c.req.header('sec-websocket-protocol') ?? '').split(',').map((each) => each.trim())
  if (!protocols.includes(PROTOCOL))
    throw invalidField('Sec-WebSocket-Protocol', `must name ${PROTOCOL}, and the ticket`)
  const ticket = protocols.find((each) => each.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length)
  const id = c.req.param('id') ?? ''
  const mayBe = ticket !== undefined && LISTENER_ID.test(id)
  const webSocket = mayBe ? await listeners.connect(id, ticket) : null
  if (webSocket !== null)
    return new Response(null, { status: 101, webSocket, headers: { 'Sec-WebSocket-Protocol': PROTOCOL } })
  const refusal = new RelayError('unauthorized', 'This is not the ticket of a listener that is open.')
  await countFailedAuthentication(c.env.FAILED_AUTHENTICATIONS, c.req.raw.headers, refusal)
  throw refusal
}
