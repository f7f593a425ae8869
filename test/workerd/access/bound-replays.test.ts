import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { Client, expectRefusal } from '../../support/process/http-client.ts'
import { customerClient } from '../../support/process/portal.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const owner = new Client()
/** It selects nothing, so that a delivery can be replayed beside it. */
const selection = { status: ['failed'], events: ['nothing'] }

/** One customer's subscription, and what failed there. */
async function fill(customerId: string) {
  const settings = { url: receivers.url({ status: 500 }), retryPolicy: { maxRetries: 0 } }
  const webhook = await owner.subscribe({
    ...settings,
    events: [`${customerId}.*`],
    metadata: { customerId },
  })
  const event = await owner.publish({ event: `${customerId}.paid`, data: {} })
  const [row] = await owner.settled(webhook.id, 'failed', 1)
  const client = await customerClient(owner, customerId)
  return { webhook: webhook.id, event: event.id, delivery: String(row?.id), client }
}

/** Starts a replay and, once it has ended, lets it run again without an end. */
async function start(client: Client, webhookId: string): Promise<string> {
  const { status, data, text } = await client.post<{ id: string }>(`/webhooks/${webhookId}/replay`, selection)
  expect(status, text).toBe(202)
  const state = async () => (await owner.get<{ state: string }>(`/replays/${data.id}`)).data.state
  await expect.poll(state).toBe('completed')
  await env.DB.prepare(
    'UPDATE replay SET state = 0, finished_at_ms = NULL, next_step_at_ms = 9e12 WHERE id = ?1',
  )
    .bind(data.id)
    .run()
  return data.id
}

test('two replays of one customer run at a time, whichever call starts them, and leave room for others', async () => {
  const [carol, dave] = [await fill('carol'), await fill('dave')]
  const first = await start(carol.client, carol.webhook)
  await start(carol.client, carol.webhook)
  for (const call of [
    `/webhooks/${carol.webhook}`,
    `/events/${carol.event}`,
    `/deliveries/${carol.delivery}`,
  ]) {
    const answer = await carol.client.post(`${call}/replay`)
    expectRefusal(answer, 409, 'conflict')
    expect(answer.error.message, call).toMatch(/^2 replays of your webhooks are running; wait .* or cancel/)
  }
  await start(dave.client, dave.webhook)
  await start(owner, carol.webhook)
  await carol.client.post(`/replays/${first}/cancel`)
  // Those that the owner started count as well.
  expectRefusal(await carol.client.post(`/webhooks/${carol.webhook}/replay`, selection), 409, 'conflict')
})

test('a replay that a customer is the only one to run ends, and makes room', async () => {
  const erin = await fill('erin')
  const ids = [await start(erin.client, erin.webhook), await start(erin.client, erin.webhook)]
  await erin.client.post(`/replays/${ids[1]}/cancel`)
  const replayed = await erin.client.post(`/deliveries/${erin.delivery}/replay`)
  expect(replayed.status, replayed.text).toBe(202)
})
