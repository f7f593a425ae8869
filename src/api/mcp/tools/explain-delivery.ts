import * as z from 'zod'
import { type ApiAnswer, type CallApi, pathOf } from '../call-api.ts'
import { defineTool } from '../tool.ts'

const PAGE = 50
/** Pages that are read for one subscription. */
const PAGES_MAX = 20

type Fate = {
  webhookId: string
  url: string
  matched: boolean
  reason: string | null
  explanation: string | null
  rules?: { rule: string; message: string }[]
  delivery: { id: string; status: string; summary: string; advice: string | null } | null
}

/** Says what became of an event, as `GET /events/{id}/deliveries` does, in words. */
export const explainDelivery = defineTool(
  {
    name: 'explain_delivery',
    title: 'Explain a delivery',
    description:
      'Says in words why an event was or was not delivered, and what to do about it: for one subscription, or for each of them.',
    scope: 'deliveries:read',
    input: z.strictObject({
      event: z.string().min(1).describe('The event’s id: the publisher’s own or the generated one'),
      subscription: z
        .string()
        .optional()
        .describe('The id or uid of a subscription; all where it is left out'),
      cursor: z.string().optional().describe('nextCursor of the page before'),
    }),
  },
  async (call, { event, subscription, cursor }) => {
    const path = pathOf('/events/{}/deliveries', event)
    if (subscription !== undefined) {
      const fate = await findFate(call, path, subscription)
      return { text: explain(fate), data: { deliveries: [fate] } }
    }
    const { data, nextCursor } = await call('GET', path, { query: { limit: PAGE, cursor } })
    const fates = data as Fate[]
    const more = nextCursor === null ? [] : [`There are more subscriptions: cursor ${nextCursor}.`]
    const text =
      fates.length === 0 ? 'There was no subscription.' : [...fates.map(explain), ...more].join('\n')
    return { text, data: { deliveries: fates, nextCursor } }
  },
)

/** The fate of an event at one subscription, which may be named by its uid. */
async function findFate(call: CallApi, path: string, name: string): Promise<Fate> {
  // What is not found, or may not be seen, is refused here.
  const { data } = await call('GET', pathOf('/webhooks/{}/logs', name), { query: { limit: 1 } })
  const id = await idOf(call, name, data)
  let page: ApiAnswer = { data: [], nextCursor: null }
  for (let n = 0; n < PAGES_MAX && (n === 0 || page.nextCursor !== null); n++) {
    page = await call('GET', path, { query: { limit: 100, cursor: page.nextCursor ?? undefined } })
    const found = (page.data as Fate[]).find(({ webhookId }) => webhookId === id)
    if (found !== undefined) return found
  }
  const explanation =
    'It is not among those that were looked through: it was made after the event, or there are too many.'
  return { webhookId: id, url: '', matched: false, reason: null, explanation, delivery: null }
}

async function idOf(call: CallApi, name: string, log: unknown): Promise<string> {
  if (name.startsWith('webhook_')) return name
  const [row] = log as { webhookId: string }[]
  if (row !== undefined) return row.webhookId
  const { data } = await call('GET', pathOf('/webhooks/{}', name))
  return (data as { id: string }).id
}

function explain({ webhookId, url, matched, explanation, reason, rules = [], delivery }: Fate): string {
  const where = `${webhookId}${url === '' ? '' : ` (${url})`}`
  if (delivery !== null) {
    const advice = delivery.advice === null ? '' : ` ${delivery.advice}`
    return `${where}: ${delivery.status}. ${delivery.summary}${advice} Delivery ${delivery.id}.`
  }
  const why = explanation ?? reason ?? ''
  if (matched) return `${where}: not delivered. ${why} Enable it, then replay with backfill.`
  const refused = rules.map(({ rule, message }) => ` ${rule}: ${message}.`).join('')
  return `${where}: not delivered, as it did not want the event. ${why}${refused} To deliver it all the same, change what the subscription wants, then replay with backfill.`
}
