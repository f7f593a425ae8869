import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import type { Client, DeliveryAnswer } from '../../../../support/process/http-client.ts'

/** What a dispatch answers. */
export type Dispatched = {
  success: boolean
  status: string
  eventId: string
  deliveryId: string
  event: string
  statusCode: number | null
  responseTime: number | null
  responseBody: string | null
  error: string | null
}
export const SECRET = 'your-shared-secret'
/** Seed 003's scheduled webhook. */
export const payloadOf = (url: string) => ({
  url,
  event: 'order.shipped',
  data: { order_id: 42, tracking: 'ABC123' },
  secret: SECRET,
})

export const dispatch = (client: Client, json: object) => client.post<Dispatched>('/dispatch', json)
export const deliveryOf = async (client: Client, id: string) =>
  (await client.get<DeliveryAnswer>(`/deliveries/${id}`)).data
export const targets = async (client: Client) =>
  (
    await env.DB.prepare(
      'SELECT s.id FROM subscription s JOIN workspace w ON w.no = s.workspace_no WHERE w.id = ?1 AND s.kind = 1',
    )
      .bind(client.workspace)
      .all<{ id: string }>()
  ).results.map(({ id }) => id)

export async function settled(client: Client, id: string): Promise<DeliveryAnswer> {
  return await vi.waitFor(
    async () => {
      const delivery = await deliveryOf(client, id)
      expect(delivery.status).not.toBe('pending')
      return delivery
    },
    { timeout: 4000, interval: 20 },
  )
}
