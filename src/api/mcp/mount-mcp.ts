import type { Context, Hono } from 'hono'
import { invalidField, RelayError } from '../../model/errors.ts'
import { readJson } from '../body/body.ts'
import { BodyHold } from '../body/body-hold.ts'
import type { AppEnv } from '../context.ts'
import { type Guard, type RelaySource, requireRelay } from '../guard.ts'
import { callerOf } from './call-api.ts'
import { answerMessage, REVISIONS } from './json-rpc.ts'

const PATH = '/mcp'
const BODY_BYTES_MAX = 1_000_000
const REVISION_HEADER = 'MCP-Protocol-Version'

/** `POST /mcp`: tools for assistants, by the Model Context Protocol over HTTP, without sessions or streams. */
export function mountMcp(app: Hono<AppEnv>, relayOf: RelaySource, guard: Guard): void {
  app.post(PATH, guard({ scope: 'any', forBound: 'shared' }), async (c) => {
    const { settings } = requireRelay(await relayOf(c.env))
    requireOwnOrigin(c, settings.corsOrigins)
    const revision = c.req.header(REVISION_HEADER)
    if (revision !== undefined && !REVISIONS.includes(revision))
      throw invalidField(REVISION_HEADER, `must be one of ${REVISIONS.join(', ')}`)
    const reply = await answerMessage(callerOf(app, c), await readMessage(c))
    return reply === null ? c.body(null, 202) : c.json(reply)
  })
}

/** Browsers name the origin of the page that calls; the protocol has servers refuse those that they do not know. */
function requireOwnOrigin(c: Context<AppEnv>, allowed: readonly string[]): void {
  const origin = c.req.header('Origin')
  if (origin === undefined || origin === new URL(c.req.url).origin || allowed.includes(origin)) return
  throw new RelayError('forbidden', 'Pages of this origin may not call this relay: see CORS_ORIGINS.')
}

async function readMessage(c: Context<AppEnv>): Promise<unknown> {
  const hold = new BodyHold(c.get('deps').bodyBudgets)
  try {
    return (await readJson(c.req.raw, { bytesMax: BODY_BYTES_MAX, hold })).value
  } finally {
    await hold.release()
  }
}
