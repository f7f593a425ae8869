/**
 * The two ceilings: the least a Worker can do to take an event, and the least it can do to deliver one.
 *
 *   POST /run   {"target", "count", "slots"}: POSTs `count` bodies of 600 bytes to `target`, `slots` at a
 *               time, and answers {"failed"} when all are answered
 *   POST *      reads the body and answers 202
 */

const BODY_BYTES = 600
const ENVELOPE = { id: 'evt_ceiling', event: 'invoice.paid', data: { padding: '' } }
const PADDING = 'x'.repeat(BODY_BYTES - JSON.stringify(ENVELOPE).length)
const BODY = JSON.stringify({ ...ENVELOPE, data: { padding: PADDING } })
const REQUEST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: BODY }

async function fetchLoop(egress, { target, count, slots }) {
  let left = count
  let failed = 0
  const slot = async () => {
    while (left-- > 0) {
      const response = await egress.fetch(target, REQUEST)
      await response.arrayBuffer()
      if (!response.ok) failed++
    }
  }
  await Promise.all(Array.from({ length: slots }, slot))
  return Response.json({ failed })
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are the default export of its module.
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === '/run') return fetchLoop(env.EGRESS, await request.json())
    await request.arrayBuffer()
    return new Response(null, { status: 202 })
  },
}
