import { expect, test } from 'vitest'
import { type ListenStatus, Posthorn } from '../../../packages/client/src/index.ts'
import { verify } from '../../../src/signature/index.ts'
import { freePort } from '../../support/process/free-port.ts'
import { ownRelay } from '../../support/process/own-relay.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const stage = ownRelay('listen')

function clientIn(workspace: string): Posthorn {
  const { url, adminKey } = stage.relay
  return new Posthorn({ url, key: adminKey, workspace, retries: { max: 0 } })
}

test('a server of this machine gets deliveries within a second, and its answers are in the log', async () => {
  const posthorn = clientIn('laptop')
  const { receiver } = stage
  receiver.script('/hooks', { status: 500, body: 'no such order' }, { status: 200, body: 'thanks' })
  const listener = await posthorn.listen({
    events: ['order.*'],
    forward: receiver.url('/hooks'),
    retryPolicy: { schedule: [1, 1] },
  })
  // The first one warms the relay up, which has just started.
  await posthorn.events.publish({ event: 'order.created', data: { n: 0 } })
  expect(await waitUntil(() => receiver.requests('/hooks').length === 2, 20_000)).toBe(true)
  const publishedAtMs = Date.now()
  await posthorn.events.publish({ id: 'order-1', event: 'order.created', data: { n: 1 } })
  expect(await waitUntil(() => receiver.requests('/hooks').length === 3, 10_000)).toBe(true)
  const [first, , third] = receiver.requests('/hooks')
  expect((third?.atMs ?? Number.POSITIVE_INFINITY) - publishedAtMs).toBeLessThan(1_000)
  const { body = Buffer.of(), headers = {} } = first ?? {}
  expect(await verify({ body, headers, secret: listener.subscription.secret })).toMatchObject({ ok: true })
  const rows = await settled(posthorn, listener.id, 2)
  const answers = rows.map(({ attempts }) => attempts.map((made) => [made.responseCode, made.responseBody]))
  const each = [
    [500, 'no such order'],
    [200, 'thanks'],
  ]
  expect(answers).toEqual([each, each])
  await listener.close()
  expect((await posthorn.subscriptions.list().page()).items).toEqual([])
})

test('a listener goes on after its relay was killed, with what it missed', async () => {
  const port = await freePort()
  await stage.relay.kill9()
  await stage.start({ port })
  const posthorn = clientIn('restarted')
  const statuses: ListenStatus[] = []
  const bodies: string[] = []
  const listener = await posthorn.listen({
    events: ['*'],
    retryPolicy: { schedule: [1, 1, 1, 1, 1, 1, 1, 1] },
    forward: async (request) => {
      bodies.push(((await request.json()) as { event: string }).event)
      return new Response('ok')
    },
    onStatus: (status) => void statuses.push(status),
  })
  await posthorn.events.publish({ event: 'before', data: {} })
  // What has come and is not recorded yet would come again.
  expect(await settled(posthorn, listener.id, 1)).toHaveLength(1)
  await stage.relay.kill9()
  await stage.start({ port })
  await posthorn.events.publish({ event: 'after', data: {} })
  expect(await waitUntil(() => bodies.length === 2, 20_000)).toBe(true)
  expect(bodies).toEqual(['before', 'after'])
  const kinds = statuses.map(({ kind }) => kind)
  expect([kinds[0], kinds[1], kinds.at(-1)]).toEqual(['connected', 'disconnected', 'connected'])
  await listener.close()
  await listener.closed
  expect(statuses.at(-1)).toEqual({ kind: 'ended', error: null })
})

test('a listener that another call ends is over, and says so', async () => {
  const posthorn = clientIn('ended')
  const listener = await posthorn.listen({ events: ['*'], forward: () => new Response('ok') })
  await posthorn.subscriptions.delete(listener.id)
  await expect(listener.closed).rejects.toMatchObject({ name: 'PosthornError', code: 'closed' })
})

async function settled(posthorn: Posthorn, id: string, count: number) {
  for (let tries = 0; ; tries++) {
    const { items } = await posthorn.subscriptions.log(id, { status: ['success'] as never }).page()
    if (items.length === count || tries === 200) return items
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
