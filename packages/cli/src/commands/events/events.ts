import type { Schemas } from '../../../../client/src/index.ts'
import { parseCount, parseTime } from '../../arguments/time.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { change } from '../../failure/change.ts'
import { Failure } from '../../failure/failure.ts'
import type { Column } from '../../render/table.ts'
import { relative } from '../../render/time.ts'
import { hint, writeJson, writeList } from '../../render/write.ts'
import { requireYes } from '../../shell/confirm.ts'
import { showEvent } from './show-event.ts'

type ListOptions = {
  type?: string
  since?: string
  until?: string
  search?: string
  path?: string
  equals?: string
  limit: number
}

/** `posthorn events`. */
export const addEvents: AddCommand = (parent, shell) => {
  const events = parent
    .command('events')
    .summary('what was published')
    .description('Events of the workspace.')
  events
    .command('list', { isDefault: true })
    .summary('the newest events, or those that are searched for (what `events` alone does)')
    .description('Lists events, the newest first.')
    .option('-t, --type <pattern>', 'a type, or a pattern such as invoice.*')
    .option('--since <time>', 'accepted since: a span before now (2h), a date or a time', (text) =>
      parseTime(text),
    )
    .option('--until <time>', 'accepted until', (text) => parseTime(text))
    .option('-s, --search <text>', 'an id, or a text anywhere in the payload')
    .option('--path <path>', 'with --equals: a path in the payload, such as data.object.id')
    .option('--equals <value>', 'the value that the path leads to')
    .option('-n, --limit <count>', 'how many at most', parseCount, 20)
    .addHelpText(
      'after',
      examples(
        ['posthorn events --type "invoice.*" --since 2h'],
        ['posthorn events --path data.object.id --equals inv_1'],
        ["posthorn events --json --limit 1000 | jq -r '.[].id'"],
      ),
    )
    .action(action<ListOptions>(shell, listEvents))
  events
    .command('get')
    .argument('<id>', 'the id of the event, your own or the generated one')
    .summary('one event: its payload, who gets it, and who does not and why')
    .addHelpText('after', examples(['posthorn events get evt_01q0gh3r1jd2r2k06ga']))
    .action(action(shell, showEvent))
  events
    .command('cancel')
    .argument('<id>')
    .summary('end what is outstanding of an event')
    .action(action(shell, cancelEvent))
  events
    .command('erase')
    .argument('<id>')
    .summary('erase the content of an event for good')
    .description(
      'Erases the payload and response texts of an event, and cancels what is outstanding. Asks first.',
    )
    .action(action(shell, eraseEvent))
}

async function listEvents(context: Context, { options }: Given<ListOptions>): Promise<void> {
  const { type, since, until, search, path, equals, limit } = options
  if ((path === undefined) !== (equals === undefined)) {
    throw new Failure('usage', '--path and --equals go together.', {
      next: 'posthorn events --path data.object.id --equals inv_1',
    })
  }
  const { posthorn } = await context.connect()
  const query = {
    ...(type !== undefined && { event: type }),
    ...(since !== undefined && { dateFrom: since }),
    ...(until !== undefined && { dateTo: until }),
    ...(search !== undefined && { q: search }),
    ...(path !== undefined && equals !== undefined && { path, equals }),
    limit: Math.min(limit, 1_000),
  }
  const found = await posthorn.events.list(query, context.call).take(limit)
  const empty = 'No such events. posthorn publish makes one.'
  await writeList(context, found, { columns: columns(context.shell.nowMs()), empty })
}

function columns(nowMs: number): Column<Schemas['Event']>[] {
  return [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'TYPE', cell: ({ event }) => event, shrinks: true },
    { title: 'ACCEPTED', cell: ({ acceptedAt }) => relative(acceptedAt, nowMs) },
    { title: 'MATCHED', cell: ({ matched }) => String(matched), alignsRight: true },
    { title: 'NOTE', cell: noteOf, shrinks: true },
  ]
}

function noteOf({ test, dispatched, cancelledAt, erasedAt, deliverAt }: Schemas['Event']): string {
  if (erasedAt !== null) return 'erased'
  if (cancelledAt !== null) return 'cancelled'
  return [test && 'test', dispatched && 'dispatched', deliverAt && `for ${deliverAt}`]
    .filter(Boolean)
    .join(', ')
}

async function cancelEvent(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const cancelled = await change(context, 'Run it again: a second time changes nothing.', () =>
    posthorn.events.cancel(id, context.call),
  )
  if (context.isJson) return await writeJson(context, cancelled)
  await hint(context, `What was outstanding of ${id} is cancelled; what is under way is finished.`)
}

async function eraseEvent(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const event = await posthorn.events.get(id, context.call)
  await requireYes(context.shell, `Erase the content of ${id} (${event.event}) for good?`, context)
  const erased = await change(context, 'Run it again: a second time changes nothing.', () =>
    posthorn.events.erase(id, context.call),
  )
  if (context.isJson) return await writeJson(context, erased)
  await hint(context, `The content of ${id} is erased.`)
}
