import type { CallOptions, Posthorn, Schemas, StreamEvent } from '../../../client/src/index.ts'
import { parseCount } from '../arguments/time.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../command.ts'
import { type Paint, paintFor, toneOf } from '../render/colour.ts'
import { plain } from '../render/fields.ts'
import { cutTo, oneLine, printable } from '../render/table.ts'
import { relative, timeOfDay } from '../render/time.ts'
import { hint, write, writeJsonLine } from '../render/write.ts'

type Options = { webhook?: string; type?: string; status?: string; count?: number }
type Message = Schemas['StreamMessage']

/** `posthorn tail`. */
export const addTail: AddCommand = (parent, shell) => {
  parent
    .command('tail')
    .summary('deliveries as they happen')
    .description(
      'Shows deliveries and attempts as they happen, until Ctrl-C. It comes back by itself after a break, and says\n' +
        'where something is missing. An event is shown at its first attempt.',
    )
    .option('--webhook <id>', 'one subscription, by id or uid')
    .option('-t, --type <pattern>', 'a type, or a pattern such as invoice.*')
    .option('--status <status>', 'success, failed, skipped, or several joined by commas')
    .option('-n, --count <count>', 'end after so many', parseCount)
    .addHelpText(
      'after',
      examples(
        ['posthorn tail'],
        ['posthorn tail --status failed --type "invoice.*"'],
        ['posthorn tail --json | jq -c .attempt.responseCode'],
      ),
    )
    .action(action<Options>(shell, tail))
}

async function tail(context: Context, { options }: Given<Options>): Promise<void> {
  const { shell } = context
  const { posthorn } = await context.connect()
  const names = new Names(posthorn, context.call)
  let left = options.count ?? Number.POSITIVE_INFINITY
  try {
    for await (const event of posthorn.stream(queryOf(options), context.call)) {
      const isMessage = await show(context, event, names)
      if (isMessage && --left <= 0) return
      if (shell.out.isClosed()) return
    }
  } catch (error) {
    // Ctrl-C is how it is meant to end.
    if (!shell.signal.aborted) throw error
  }
}

function queryOf({ webhook, type, status }: Options) {
  return {
    ...(webhook !== undefined && { webhook }),
    ...(type !== undefined && { event: type }),
    ...(status !== undefined && { status }),
  }
}

/** Answers true for a line of the result. */
async function show(context: Context, event: StreamEvent, names: Names): Promise<boolean> {
  switch (event.kind) {
    case 'ready':
      await hint(context, 'Listening; Ctrl-C ends it.')
      return false
    case 'gap':
      await hint(context, 'Some are missing here: posthorn deliveries has all.')
      return false
    case 'attempt':
    case 'delivery': {
      if (context.isJson) await writeJsonLine(context, event.message)
      else await write(context, await line(context, event.message, names))
      return true
    }
  }
}

async function line({ shell }: Context, message: Message, names: Names): Promise<string> {
  const name = await names.of(message.webhookId)
  return renderLine(message, {
    name,
    columns: shell.out.columns(),
    nowMs: shell.nowMs(),
    paint: paintFor(shell.out),
  })
}

/** One line of `posthorn tail`, within the terminal. */
export function renderLine(
  message: Message,
  { name, columns, nowMs, paint }: { name: string; columns: number; nowMs: number; paint: Paint },
): string {
  const { at, status, attempt, event, deliveryId, nextRetryAt, reason } = message
  const outcome = attempt === null ? (reason ?? '') : String(attempt.responseCode ?? attempt.error ?? '')
  const head = `${timeOfDay(at)}  ${status.padEnd(7)}  ${outcome.padEnd(3)}`
  const timing = attempt === null ? '' : `${attempt.responseTime} ms`
  const retry = nextRetryAt === null ? '' : `, again ${relative(nextRetryAt, nowMs)}`
  const no = attempt !== null && attempt.attempt > 1 ? ` (attempt ${attempt.attempt})` : ''
  const rest = `${event} → ${oneLine(name)}${no}  ${timing}${retry}  ${deliveryId}`
  const text = cutTo(printable(`${head}  ${rest}`), columns)
  // Coloured once it is cut: colours have no width.
  return `${paint(toneOf(status), text.slice(0, head.length))}${text.slice(head.length)}\n`
}

/** Names of subscriptions, looked up once each. */
class Names {
  readonly #posthorn: Posthorn
  readonly #call: CallOptions
  readonly #known = new Map<string, Promise<string>>()

  constructor(posthorn: Posthorn, call: CallOptions) {
    this.#posthorn = posthorn
    this.#call = call
  }

  of(id: string): Promise<string> {
    const known = this.#known.get(id) ?? this.#find(id)
    this.#known.set(id, known)
    return known
  }

  /** The id itself for what may not be looked at, or is deleted. */
  async #find(id: string): Promise<string> {
    return await this.#posthorn.subscriptions.get(id, { ...this.#call, maxRetries: 0 }).then(
      ({ name, uid, url }) => plain(name) ?? uid ?? url,
      () => id,
    )
  }
}
