import type { Schemas } from '../../../../client/src/index.ts'
import type { Context, Given } from '../../command.ts'
import { paintFor, toneOf } from '../../render/colour.ts'
import { plain, renderFields, shortUrl } from '../../render/fields.ts'
import { type Column, printable, renderTable } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { write, writeJson } from '../../render/write.ts'

type Shown = Schemas['EventDelivery']

/** Subscriptions that are shown; `--json` shows as many. */
const SUBSCRIPTIONS_MAX = 200

/** Shows one event with its payload, and what became of it. */
export async function showEvent(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { shell, call } = context
  const { posthorn } = await context.connect()
  const event = await posthorn.events.get(id, call)
  const deliveries = await posthorn.events.deliveries(id, {}, call).take(SUBSCRIPTIONS_MAX)
  if (context.isJson) return await writeJson(context, { ...event, deliveries })
  const paint = paintFor(shell.out)
  await write(context, renderFields(fieldsOf(event, shell.nowMs()), paint))
  await write(context, `\n${printable(prettyPayload(event.payload))}\n\n`)
  if (deliveries.length === 0) return await write(context, 'The workspace has no subscriptions.\n')
  await write(context, renderTable(columns(context), deliveries, { width: shell.out.columns(), paint }))
}

function fieldsOf(event: Schemas['EventWithPayload'], nowMs: number): [string, string | null][] {
  return [
    ['Event', event.id],
    ['Type', event.event],
    ['Accepted', `${event.acceptedAt} (${relative(event.acceptedAt, nowMs)})`],
    ['Deliver at', event.deliverAt],
    ['Cancelled', event.cancelledAt],
    ['Erased', event.erasedAt],
  ]
}

/** The payload to look at; one that is large or no JSON stays as it is. */
function prettyPayload(payload: string | null): string {
  if (payload === null) return '(no payload is kept)'
  // Printed anew, a number of more digits than a double has would be another.
  if (/\d{16}|\d\.\d*0[,}\]\s]/.test(payload)) return payload
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}

function columns({ shell }: Context): Column<Shown>[] {
  const paint = paintFor(shell.out)
  const statusOf = ({ delivery, matched }: Shown) => delivery?.status ?? (matched ? 'pending' : 'not owed')
  return [
    { title: 'SUBSCRIPTION', cell: ({ url }) => shortUrl(url), shrinks: true },
    { title: 'STATUS', cell: statusOf, paint: (row, cell) => paint(toneOf(statusOf(row)), cell) },
    { title: 'WHAT BECAME OF IT', cell: whatBecame, shrinks: true },
    { title: 'DELIVERY', cell: ({ delivery }) => delivery?.id ?? '' },
  ]
}

function whatBecame({ delivery, explanation, reason, rules }: Shown): string {
  const refusal = rules?.[0]?.message
  return plain(delivery?.summary) ?? plain(refusal) ?? plain(explanation) ?? reason ?? 'to be attempted'
}
