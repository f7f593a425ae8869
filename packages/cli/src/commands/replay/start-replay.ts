import type { Posthorn, Schemas } from '../../../../client/src/index.ts'
import type { Context, Given } from '../../command.ts'
import { Failure } from '../../failure/failure.ts'
import { counted } from '../../render/fields.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { requireYes } from '../../shell/confirm.ts'
import { whileTelling } from '../../shell/progress.ts'
import { followReplay } from './follow-replay.ts'

export type StartOptions = {
  webhook?: string
  event?: string
  delivery?: string
  status?: string
  type?: string[]
  since?: string
  until?: string
  backfill?: boolean
  rate?: number
  dryRun?: boolean
  wait: boolean
}

/** Counts, asks, starts and follows a replay. */
export async function startReplay(context: Context, { options }: Given<StartOptions>): Promise<void> {
  const { webhook, event, delivery } = options
  requireOneTarget(options)
  const { posthorn } = await context.connect()
  if (webhook !== undefined && event === undefined)
    return await ofSubscription(context, posthorn, { ...options, webhook })
  if (options.dryRun) {
    throw new Failure('usage', 'Only the replay of a subscription can be counted first: --webhook.')
  }
  const what = event === undefined ? `the delivery ${delivery}` : `the event ${event}`
  await requireYes(context.shell, `Send ${what} again?`, context)
  const replay =
    event === undefined
      ? await posthorn.deliveries.replay(delivery ?? '')
      : await posthorn.events.replay(event, webhook === undefined ? {} : { webhooks: [webhook] })
  await started(context, posthorn, { replay, count: null, isFollowed: options.wait })
}

function requireOneTarget({ webhook, event, delivery, ...rest }: StartOptions): void {
  const next = 'posthorn replay --webhook <id>, --event <id> or --delivery <id>'
  if (webhook === undefined && event === undefined && delivery === undefined) {
    throw new Failure('usage', 'What is to be replayed is missing.', { next })
  }
  if (delivery !== undefined && (webhook !== undefined || event !== undefined)) {
    throw new Failure('usage', 'A delivery is of one event and one subscription: leave out the others.', {
      next,
    })
  }
  const { status, type, since, until, backfill, rate } = rest
  const narrows = [status, type, since, until, backfill, rate].some((each) => each !== undefined)
  if (narrows && (event !== undefined || delivery !== undefined)) {
    throw new Failure('usage', 'Status, types, times, --backfill and --rate go with --webhook alone.', {
      next,
    })
  }
}

async function ofSubscription(
  context: Context,
  posthorn: Posthorn,
  options: StartOptions & { webhook: string },
): Promise<void> {
  const { webhook } = options
  const body = bodyOf(options)
  const counting = { ...body, dryRun: true }
  const counted = await whileTelling(context.shell, 'Counting', () =>
    posthorn.subscriptions.replay(webhook, counting, context.call),
  )
  if (!('count' in counted))
    throw new Failure('failed', 'The relay has started a replay that was to be counted.')
  const { count, countIsMinimum = false } = counted
  if (options.dryRun && context.isJson) return await writeJson(context, counted)
  if (options.dryRun)
    return await write(context, `${describeCount(count, countIsMinimum)} would be made due.\n`)
  if (count === 0 && !countIsMinimum) {
    if (context.isJson) return await writeJson(context, counted)
    return await hint(context, 'There is nothing to replay. Other --status or --since may find more.')
  }
  const question = `Make ${describeCount(count, countIsMinimum)} to ${webhook} due again?`
  await requireYes(context.shell, question, context)
  // Not by Ctrl-C: it would be unknown if it has started. What follows hears it.
  const replay = await posthorn.subscriptions.replay(webhook, body)
  if ('count' in replay) throw new Failure('failed', 'The relay has only counted.')
  await started(context, posthorn, { replay, count: countIsMinimum ? null : count, isFollowed: options.wait })
}

function bodyOf({ status, type, since, until, backfill, rate }: StartOptions) {
  return {
    ...(status !== undefined && { status: status.split(',') as ('failed' | 'skipped' | 'success')[] }),
    ...(type !== undefined && { events: type }),
    ...(since !== undefined && { dateFrom: since }),
    ...(until !== undefined && { dateTo: until }),
    ...(backfill === true && { backfill }),
    ...(rate !== undefined && { ratePerSecond: rate }),
  }
}

function describeCount(count: number, isMinimum: boolean): string {
  return `${isMinimum ? 'at least ' : ''}${counted(count, 'delivery', 'deliveries')}`
}

type Started = { replay: Schemas['Replay']; count: number | null; isFollowed: boolean }

async function started(
  context: Context,
  posthorn: Posthorn,
  { replay, count, isFollowed }: Started,
): Promise<void> {
  if (isFollowed) return await followReplay(context, posthorn, { replay, count })
  if (context.isJson) return await writeJson(context, replay)
  await write(context, `${replay.id}\n`)
  await hint(context, `It goes on in the relay. Look again: posthorn replay watch ${replay.id}`)
}
