// A receiver that takes a Request and gives a Response, with posthorn/verify: Workers, Deno.serve, Bun.serve, Next.js.
import { verifyRequest } from 'posthorn/verify'

/**
 * Answers one delivery.
 *
 * @param receiver `secret`; `work(event)`, which rejects when it could not be done; and the ids of what was done:
 * `isHandled(id)`, `markHandled(id)`. In earnest they are a unique column, written in the transaction of your work.
 */
export async function receive(request, { secret, work, isHandled, markHandled }) {
  if (request.method !== 'POST') return new Response('Method not allowed', { status: 405 })
  const result = await verifyRequest(request, { secret, profile: 'standard' })
  if (!result.ok) return new Response('Invalid signature', { status: 401 })
  if (result.event === undefined) return new Response('Not JSON', { status: 400 })
  try {
    // One event, or all of a batch. A batch is repeated as a whole, so each event goes by its own id.
    for (const event of result.events) {
      const id = event.id ?? result.id
      if (await isHandled(id)) continue
      await work(event)
      // Not before the work: an id kept by work that failed would make its repetition look done.
      await markHandled(id)
    }
  } catch (error) {
    console.error('Not done:', error)
    return new Response('Not done, try again', { status: 500 })
  }
  return new Response('Event processed successfully')
}

// A Worker with a queue, INBOX, and a KV namespace, HANDLED. Deno: Deno.serve((request) => receive(request, { … })).
// biome-ignore lint/style/noDefaultExport: a Worker's entry point is its default export
export default {
  fetch: (request, env) =>
    receive(request, {
      secret: env.SECRET,
      work: (event) => env.INBOX.send(event),
      isHandled: async (id) => (await env.HANDLED.get(id)) !== null,
      markHandled: (id) => env.HANDLED.put(id, 'done', { expirationTtl: 7 * 24 * 3600 }),
    }),
}
