import type { Forwarded, ListenStatus } from '../../../client/src/index.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../command.ts'
import { openReference } from '../configuration/references.ts'
import { Failure } from '../failure/failure.ts'
import { type Paint, paintFor } from '../render/colour.ts'
import { cutTo, oneLine, printable } from '../render/table.ts'
import { span, timeOfDay } from '../render/time.ts'
import { hint, write, writeJsonLine } from '../render/write.ts'

type Options = { forward: string; type: string[]; secret?: string; scheme?: string; printBody?: boolean }

/** `posthorn listen`. */
export const addListen: AddCommand = (parent, shell) => {
  parent
    .command('listen')
    .summary('deliveries to a server on this machine')
    .description(
      'Makes a temporary subscription whose deliveries come to this machine, without a tunnel, until Ctrl-C. What your\n' +
        'server answers is the answer of the attempt: a 500 is in the log, and is retried.',
    )
    .requiredOption('-f, --forward <url>', 'your server, such as http://localhost:3000/hooks')
    .option('-t, --type <pattern...>', 'types or patterns; all when left out', ['*'])
    .option(
      '--secret <reference>',
      'what deliveries are signed with: env:NAME; generated and shown where left out',
    )
    .option('--scheme <profile>', 'payload and signature: standard, bigledger, core, …')
    .option('--print-body', 'show what each delivery says')
    .addHelpText(
      'after',
      examples(
        ['posthorn listen --forward http://localhost:3000/hooks'],
        ['posthorn listen -f http://localhost:3000/hooks -t "invoice.*" --secret env:WEBHOOK_SECRET'],
        ['posthorn trigger invoice.paid', 'in another terminal'],
      ),
    )
    .action(action<Options>(shell, listen))
}

async function listen(context: Context, { options }: Given<Options>): Promise<void> {
  const { forward, type, secret, scheme, printBody = false } = options
  requireHere(forward)
  const { posthorn } = await context.connect()
  const { signal, env } = context.shell
  const reader = new AbortController()
  const endWithReader = () => context.shell.out.isClosed() && reader.abort()
  const listener = await posthorn.listen({
    events: type,
    forward,
    signal: AbortSignal.any([signal, reader.signal]),
    ...(secret !== undefined && { secret: openReference(secret, env) }),
    ...(scheme !== undefined && { profile: scheme as 'standard' }),
    onStatus: (status) => void tellStatus(context, status),
    onDelivery: (delivery) => void show(context, delivery, printBody).then(endWithReader),
  })
  if (secret === undefined) await hint(context, `Signed with ${listener.subscription.secret}`)
  await hint(context, `${type.join(' ')} → ${forward}; Ctrl-C ends it.`)
  await listener.closed
}

/** @throws Failure for an address that is none, and where this Node has no WebSocket */
function requireHere(forward: string): void {
  if (!URL.canParse(forward) || !/^https?:\/\//.test(forward)) {
    throw new Failure(
      'usage',
      `--forward must be an address such as http://localhost:3000/hooks, not ${forward}.`,
    )
  }
  if (!('WebSocket' in globalThis)) {
    throw new Failure('usage', `listen needs Node 22 or newer; this is ${process.version}.`)
  }
}

async function tellStatus(context: Context, status: ListenStatus): Promise<void> {
  switch (status.kind) {
    case 'connected':
      if (status.isNew) await hint(context, 'Connected anew: what came meanwhile did not come here.')
      return
    case 'disconnected':
      return await hint(
        context,
        `Disconnected (${oneLine(status.reason)}); again in ${span(status.retryInMs)}.`,
      )
    case 'ended':
      return
  }
}

async function show(context: Context, delivery: Forwarded, printsBody: boolean): Promise<void> {
  const { shell, isJson } = context
  const { headers, status, error, latencyMs } = delivery
  const body = new TextDecoder().decode(delivery.body)
  if (isJson) return await writeJsonLine(context, { headers, body, status, error, latencyMs })
  const at = new Date(shell.nowMs()).toISOString()
  const line = renderForwarded(delivery, { at, columns: shell.out.columns(), paint: paintFor(shell.out) })
  await write(context, printsBody ? `${line}${printable(body)}\n` : line)
}

/** One line of `posthorn listen`, within the terminal. */
export function renderForwarded(
  { headers, status, error, latencyMs }: Forwarded,
  { at, columns, paint }: { at: string; columns: number; paint: Paint },
): string {
  const header = (name: string) =>
    Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1] ?? ''
  const attempt = header('webhook-attempt')
  const no = attempt === '' || attempt === '1' ? '' : ` (attempt ${attempt})`
  const head = `${timeOfDay(at)}  ${status ?? 'failed'}`
  const why = error === null ? '' : `  ${oneLine(error)}`
  const rest = `${header('webhook-event-type')}${no}  ${latencyMs} ms  ${header('webhook-id')}${why}`
  const text = cutTo(printable(`${head}  ${rest}`), columns)
  const isGood = status !== null && status >= 200 && status < 300
  return `${paint(isGood ? 'good' : 'bad', text.slice(0, head.length))}${text.slice(head.length)}\n`
}
