// A receiver with Hono and the standardwebhooks library, as a Worker. It puts each event into a queue, INBOX, and keeps
// the ids of those it has put there in a KV namespace, HANDLED. Both are bindings in your wrangler.toml.
//   npm install hono standardwebhooks && npx wrangler secret put SECRET && npx wrangler deploy hono.mjs
import { Hono } from 'hono'
import { Webhook } from 'standardwebhooks'

/** Longer than the relay goes on trying. */
const KEPT_SECONDS = 7 * 24 * 3600

const app = new Hono()

app.post('/webhooks/bigledger', async (c) => {
  const body = await c.req.text()
  const { SECRET } = c.env
  // The library takes whsec_ + base64; the key of a secret without that prefix is its text.
  const webhook = SECRET.startsWith('whsec_')
    ? new Webhook(SECRET)
    : new Webhook(new TextEncoder().encode(SECRET), { format: 'raw' })
  let payload
  try {
    payload = webhook.verify(body, c.req.header())
  } catch {
    return c.text('Invalid signature', 401)
  }
  // A subscription with `batchSettings` gets several events in one request.
  const isBatch = payload.batch === true
  for (const event of isBatch ? payload.events : [payload]) {
    await handleOnce(c.env, event, isBatch ? event.id : c.req.header('webhook-id'))
  }
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
