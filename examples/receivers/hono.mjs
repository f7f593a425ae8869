// A receiver with Hono and the standardwebhooks library: a Worker, or anything else that serves `fetch`.
//   npm install hono standardwebhooks && npx wrangler secret put SECRET && npx wrangler deploy hono.mjs
import { Hono } from 'hono'
import { Webhook } from 'standardwebhooks'

const app = new Hono()

app.post('/webhooks/bigledger', async (c) => {
  const body = await c.req.text()
  const { SECRET } = c.env
  // The library takes whsec_ + base64; the key of a secret without that prefix is its text.
  const webhook = SECRET.startsWith('whsec_')
    ? new Webhook(SECRET)
    : new Webhook(new TextEncoder().encode(SECRET), { format: 'raw' })
  let event
  try {
    event = webhook.verify(body, c.req.header())
  } catch {
    return c.text('Invalid signature', 401)
  }
  return c.text(`Event ${event.id} processed successfully`)
})

// biome-ignore lint/style/noDefaultExport: a Worker's entry point is its default export
export default app
