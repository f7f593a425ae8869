import type { Schemas } from '../api/schemas.ts'
import type { InWords, Tone } from './health.ts'

type Delivery = Schemas['Delivery']

/** What has become of a delivery, and what can be done about it, in the relay's own sentences. */
export function deliveryInWords(delivery: Delivery): InWords {
  const { summary: sentence, advice } = delivery
  return { ...stateOf(delivery), sentence, advice }
}

function stateOf({ status, blocked, waitingFor }: Delivery): { tone: Tone; label: string } {
  switch (status) {
    case 'success':
      return { tone: 'good', label: 'Delivered' }
    case 'skipped':
      return { tone: 'off', label: 'Not sent' }
    case 'pending':
      return { tone: 'waiting', label: 'Waiting' }
    case 'failed':
      if (blocked) return { tone: 'bad', label: 'Blocked' }
      return waitingFor === null ? { tone: 'bad', label: 'Failed' } : { tone: 'warning', label: 'Retrying' }
  }
}
