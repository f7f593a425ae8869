// A receiver that takes a Request and gives a Response, with posthorn/verify: Workers, Deno.serve, Bun.serve, Next.js.
import { verifyRequest } from 'posthorn/verify'

/** Answers one delivery. */
export async function receive(request, secret) {
  if (request.method !== 'POST') return new Response('Method not allowed', { status: 405 })
  const result = await verifyRequest(request, { secret, profile: 'standard' })
  if (!result.ok) return new Response('Invalid signature', { status: 401 })
  const events = result.event?.batch === true ? result.event.events : [result.event]
  return Response.json({ id: result.id, received: events.map((event) => event?.event) })
}

// Workers: env.SECRET. Deno: Deno.serve((request) => receive(request, Deno.env.get('SECRET'))).
// biome-ignore lint/style/noDefaultExport: a Worker's entry point is its default export
export default { fetch: (request, env) => receive(request, env.SECRET) }
