import { api } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'

type Delivery = Schemas['Delivery']

/** As many replays run at once in a workspace; one that finds none free waits for one. */
const BUSY_MS = 1_000
const BUSY_TRIES_MAX = 30

/** True for a delivery whose receiver has had it: to send it again makes a new delivery of it. */
export function hasArrived({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'success'
}

/** Sends a delivery again now: one that has arrived is made anew, any other is tried once more. */
export async function sendAgain(delivery: Delivery): Promise<void> {
  const params = { path: { id: delivery.id } }
  if (!hasArrived(delivery)) {
    await api.POST('/api/v1/deliveries/{id}/retry', { params })
    return
  }
  for (let tries = 1; ; tries++) {
    try {
      await api.POST('/api/v1/deliveries/{id}/replay', { params })
      return
    } catch (error) {
      if (!isBusy(error) || tries === BUSY_TRIES_MAX) throw error
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS))
    }
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof ApiProblem &&
    (error.status === 429 || /replays (of your webhooks )?are running/.test(error.message))
  )
}
