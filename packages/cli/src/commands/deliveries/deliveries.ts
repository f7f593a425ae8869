import type { Item } from '../../../../client/src/index.ts'
import { parseCount, parseTime } from '../../arguments/time.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { paintFor, toneOf } from '../../render/colour.ts'
import { plain, shortUrl } from '../../render/fields.ts'
import type { Column } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { writeList } from '../../render/write.ts'
import { showAttempt, showDelivery } from './show-delivery.ts'

type ListOptions = {
  status?: string
  type?: string
  webhook?: string
  code?: string
  error?: string
  since?: string
  until?: string
  search?: string
  blocked?: boolean
  waiting?: boolean
  limit: number
}
type Listed = Item<'/api/v1/deliveries'>

/** `posthorn deliveries`. */
export const addDeliveries: AddCommand = (parent, shell) => {
  const deliveries = parent
    .command('deliveries')
    .summary('what was sent where, and what came back')
    .description('Deliveries of the workspace.')
  deliveries
    .command('list', { isDefault: true })
    .summary('the newest deliveries, or those that a filter finds (what `deliveries` alone does)')
    .description('Lists deliveries, those of the newest events first.')
    .option('--status <status>', 'pending, success, failed, skipped, or several joined by commas')
    .option('-t, --type <pattern>', 'an event type, or a pattern such as invoice.*')
    .option('--webhook <id>', 'a subscription by id or uid, or several joined by commas')
    .option('--code <status>', 'the status of the last answer, or a class: 503, 5xx')
    .option('--error <word>', 'the error of the last attempt: connection, timeout_headers, http_status, …')
    .option('--since <time>', 'of events since: a span before now (2h), a date or a time', (text) =>
      parseTime(text),
    )
    .option('--until <time>', 'of events until', (text) => parseTime(text))
    .option('-s, --search <text>', 'the id of an event or a delivery, or a text in the payload')
    .option('--blocked', 'only those that hold others behind them')
    .option('--waiting', 'only those that an attempt is still to be made of')
    .option('-n, --limit <count>', 'how many at most', parseCount, 20)
    .addHelpText(
      'after',
      examples(
        ['posthorn deliveries --status failed --since 1d'],
        ['posthorn deliveries --webhook crm:contacts --code 5xx'],
        ["posthorn deliveries --status failed --json | jq -r '.[].id' | xargs -n 1 posthorn retry"],
      ),
    )
    .action(action<ListOptions>(shell, listDeliveries))
  deliveries
    .command('get')
    .argument('<id>', 'a delivery, log_…')
    .summary('one delivery: its attempts, and the last one in full')
    .action(action(shell, showDelivery))
  deliveries
    .command('attempt')
    .argument('<id>', 'a delivery, log_…')
    .argument('<number>', 'which attempt, from 1')
    .summary('one attempt in full: what was sent, what came back')
    .action(action(shell, showAttempt))
}

async function listDeliveries(context: Context, { options }: Given<ListOptions>): Promise<void> {
  const { status, type, webhook, code, error, since, until, search, blocked, waiting, limit } = options
  const { posthorn } = await context.connect()
  const query = Object.fromEntries(
    Object.entries({
      ...{ status, event: type, webhook, responseCode: code, error, q: search },
      ...{ dateFrom: since, dateTo: until, blocked, waiting },
      limit: Math.min(limit, 1_000),
    }).filter(([, value]) => value !== undefined),
  )
  const found = await posthorn.deliveries.list(query, context.call).take(limit)
  await writeList(context, found, { columns: columns(context), empty: 'No such deliveries.' })
}

function columns({ shell }: Context): Column<Listed>[] {
  const [nowMs, paint] = [shell.nowMs(), paintFor(shell.out)]
  return [
    { title: 'DELIVERY', cell: ({ id }) => id },
    { title: 'TYPE', cell: ({ event }) => event, shrinks: true },
    { title: 'TO', cell: ({ webhookName, url }) => plain(webhookName) ?? shortUrl(url), shrinks: true },
    {
      title: 'STATUS',
      cell: ({ status }) => status,
      paint: ({ status }, cell) => paint(toneOf(status), cell),
    },
    { title: 'CODE', cell: ({ responseCode }) => String(responseCode ?? ''), alignsRight: true },
    { title: 'TRIES', cell: ({ attemptCount }) => String(attemptCount), alignsRight: true, isOptional: true },
    { title: 'ACCEPTED', cell: ({ acceptedAt }) => relative(acceptedAt, nowMs) },
    { title: 'WHAT HAPPENED', cell: ({ summary }) => summary, shrinks: true, isOptional: true },
  ]
}
