// A receiver with Hono and posthorn/verify, as a Worker. It puts each event into a queue, INBOX, and keeps the ids of
// those it has put there in a KV namespace, HANDLED. Both are bindings in your wrangler.toml.
import { Hono } from 'hono'
import { verifyRequest } from 'posthorn/verify'

/** Longer than the relay goes on trying. */
const KEPT_SECONDS = 7 * 24 * 3600

/** Lets genuine deliveries through, with `delivery` set for the handlers. */
const genuine = async (c, next) => {
  const result = await verifyRequest(c.req.raw, { secret: c.env.SECRET, profile: 'standard' })
  if (!result.ok) return c.text('Invalid signature', 401)
  c.set('delivery', result)
  return await next()
}

const app = new Hono()

app.post('/webhooks/bigledger', genuine, async (c) => {
  const { events, event, id } = c.get('delivery')
  if (event === undefined) return c.text('Not JSON', 400)
  // One event, or all of a batch. A batch is repeated as a whole, so each event goes by its own id.
  for (const each of events) await handleOnce(c.env, each, each.id ?? id)
  return c.text('Event processed successfully')
})

/** Does the work of an event that is not done yet. When it throws, Hono answers 500 and the relay tries again. */
async function handleOnce({ HANDLED, INBOX }, event, id) {
  if ((await HANDLED.get(id)) !== null) return
  await INBOX.send(event)
  // Not before the work: an id kept by work that failed would make its repetition look done.
  await HANDLED.put(id, 'done', { expirationTtl: KEPT_SECONDS })
}

// biome-ignore lint/style/noDefaultExport: a Worker's entry point is its default export
export default app
