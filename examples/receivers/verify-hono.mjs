// A receiver with Hono and posthorn/verify: a Worker, or anything else that serves `fetch`.
import { Hono } from 'hono'
import { verifyRequest } from 'posthorn/verify'

/** Lets genuine deliveries through, with `delivery` set for the handlers. */
const genuine = async (c, next) => {
  const result = await verifyRequest(c.req.raw, { secret: c.env.SECRET, profile: 'standard' })
  if (!result.ok) return c.text('Invalid signature', 401)
  c.set('delivery', result)
  return await next()
}

const app = new Hono()

app.post('/webhooks/bigledger', genuine, (c) => {
  const { event, id } = c.get('delivery')
  return c.text(`Received ${event?.event} ${id}`)
})

// biome-ignore lint/style/noDefaultExport: a Worker's entry point is its default export
export default app
