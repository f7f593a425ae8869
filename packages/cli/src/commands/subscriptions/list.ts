import type { Query, Schemas } from '../../../../client/src/index.ts'
import type { Context, Given } from '../../command.ts'
import { settingsOf } from '../../configuration/subscription-settings.ts'
import { paintFor, toneOf } from '../../render/colour.ts'
import { plain, renderFields, shortUrl } from '../../render/fields.ts'
import { type Column, printable } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { hint, write, writeJson, writeList } from '../../render/write.ts'
import { renderYaml } from '../../yaml/render-yaml.ts'

export type ListOptions = { health?: string; search?: string; sort?: string; limit?: number }
type Subscription = Schemas['Subscription']

/** Subscriptions that are listed where it is not said how many. */
const LISTED_MAX = 50

export async function listSubscriptions(context: Context, { options }: Given<ListOptions>): Promise<void> {
  const { health, search, sort, limit = LISTED_MAX } = options
  const { posthorn } = await context.connect()
  const query = {
    ...(health !== undefined && { health }),
    ...(search !== undefined && { q: search }),
    ...(sort !== undefined && { sort }),
    limit: Math.min(limit, 1_000),
  } as Query<'/api/v1/webhooks'>
  const found = await posthorn.subscriptions.list(query, context.call).take(limit)
  const empty = 'No such subscriptions. posthorn subscriptions create makes one.'
  await writeList(context, found, { columns: columns(context), empty })
  if (options.limit === undefined && found.length === LISTED_MAX)
    await hint(context, `These are the first ${LISTED_MAX}: --limit 1000 shows more.`)
}

function columns({ shell }: Context): Column<Subscription>[] {
  const [nowMs, paint] = [shell.nowMs(), paintFor(shell.out)]
  return [
    { title: 'ID', cell: ({ uid, id }) => uid ?? id },
    { title: 'NAME', cell: ({ name }) => name ?? '', shrinks: true, isOptional: true },
    { title: 'EVENTS', cell: ({ events }) => events.join(' '), shrinks: true },
    { title: 'TO', cell: ({ url }) => shortUrl(url), shrinks: true },
    {
      title: 'HEALTH',
      cell: ({ health }) => health,
      paint: ({ health }, cell) => paint(toneOf(health), cell),
    },
    {
      title: 'LAST SUCCESS',
      cell: ({ statistics }) => relative(statistics.lastDelivery, nowMs),
      isOptional: true,
    },
  ]
}

export async function getSubscription(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const subscription = await posthorn.subscriptions.get(id, context.call)
  if (context.isJson) return await writeJson(context, subscription)
  const paint = paintFor(context.shell.out)
  await write(context, renderFields(standing(subscription, context), paint))
  await write(context, `\n${printable(renderYaml(settingsOf(subscription)))}`)
}

function standing(subscription: Subscription, { shell }: Context): [string, string | null][] {
  const { id, health, disabledReason, pausedAt, failing, breaker, verification, statistics } = subscription
  const nowMs = shell.nowMs()
  const reason = disabledReason === null ? '' : ` (${disabledReason})`
  return [
    ['Subscription', id],
    ['Health', `${paintFor(shell.out)(toneOf(health), health)}${reason}`],
    ['Paused', pausedAt && relative(pausedAt, nowMs)],
    [
      'Failing',
      failing && `since ${relative(failing.since, nowMs)}, ${failing.percent} % of its budget spent`,
    ],
    ['Held', breaker.heldUntil && `${relative(breaker.heldUntil, nowMs)} (${breaker.state})`],
    ['Unverified', plain(verification?.problem)],
    ['Delivered', `${statistics.totalDelivered}, ${statistics.totalFailed} failed for good`],
    ['Changed', relative(subscription.updatedAt, nowMs)],
  ]
}
