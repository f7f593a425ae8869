import type { Body } from '../../../../client/src/index.ts'
import { readBytes, readText } from '../../arguments/read-file.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { Failure } from '../../failure/failure.ts'
import { paintFor } from '../../render/colour.ts'
import { renderFields } from '../../render/fields.ts'
import { oneLine } from '../../render/table.ts'
import { write, writeJson } from '../../render/write.ts'
import { type RawRequest, readHeaderLines, readRawRequest } from './raw-request.ts'

type Options = {
  request?: string
  header?: string[]
  body?: string
  webhook?: string
  secret?: string
  signature?: string
  scheme?: string
  receivedAt?: string
}
type Received = Body<'/api/v1/verify', 'post'>

/** `posthorn verify`. */
export const addVerify: AddCommand = (parent, shell) => {
  parent
    .command('verify')
    .summary('why a receiver refuses a request')
    .description(
      'Takes a request as its receiver saw it, and says which check of the signature fails and the likely reason.\n' +
        'The secret is looked up, or taken from a variable or a file: an argument could be seen by others.',
    )
    .option('--request <file>', 'the whole request as text: head, blank line, body; - for standard input')
    .option('-H, --header <line...>', "one header, such as 'webhook-id: evt_1'")
    .option('--body <file>', 'the raw body; - for standard input')
    .option('--webhook <id>', 'the subscription that it should come from; its own secret counts')
    .option('--secret <source>', 'what the receiver has: env:NAME or @file')
    .option('--signature <text>', 'what the receiver has computed itself, in hex or base64')
    .option('--scheme <profile>', 'what the receiver verifies by: standard, bigledger, core, …')
    .option('--received-at <time>', "the receiver's clock then, ISO 8601")
    .addHelpText(
      'after',
      examples(
        ['posthorn verify --request request.txt --webhook crm:contacts'],
        ["posthorn verify -H 'webhook-id: evt_1' -H 'webhook-timestamp: 1767607200' \\"],
        ["    -H 'webhook-signature: v1,…' --body body.json --secret env:WEBHOOK_SECRET"],
      ),
    )
    .action(action<Options>(shell, verify))
}

async function verify(context: Context, { options }: Given<Options>): Promise<void> {
  const received = await receivedOf(context, options)
  const { posthorn } = await context.connect()
  const diagnosis = await posthorn.diagnose(received, context.call)
  if (context.isJson) await writeJson(context, diagnosis)
  const { verified, message, advice, failed, cause, proven, profile, signedAt, webhookId } = diagnosis
  if (!context.isJson) {
    const paint = paintFor(context.shell.out)
    const verdict = verified ? paint('good', 'Genuine.') : paint('bad', 'Not verified.')
    const how =
      cause === null
        ? null
        : `${cause} (${proven ? 'proven: it matches once that is undone' : 'what it looks like'})`
    await write(context, `${verdict} ${oneLine(message)}\n${advice === null ? '' : `${oneLine(advice)}\n`}\n`)
    const fields: [string, string | null][] = [
      ['Fails', failed],
      ['Cause', how],
      ['Scheme', profile],
      ['Signed at', signedAt],
      ['Signed by', webhookId],
    ]
    await write(context, renderFields(fields, paint))
  }
  if (!verified) throw new Failure('failed', 'A receiver has to refuse this request.')
}

async function receivedOf(context: Context, options: Options): Promise<Received> {
  const { request, header = [], body, webhook, secret, signature, scheme, receivedAt } = options
  if (request === undefined && header.length === 0) {
    throw new Failure('usage', 'The request is missing.', {
      next: 'posthorn verify --request request.txt, or --header and --body',
    })
  }
  if (request === '-' && body === '-') {
    throw new Failure('usage', 'Standard input can be the request or the body, not both.')
  }
  const raw: RawRequest =
    request === undefined
      ? { headers: {}, body: new Uint8Array() }
      : readRawRequest(await readBytes(request, context.shell))
  const bytes = body === undefined ? raw.body : await readBytes(body, context.shell)
  const opened = secret === undefined ? undefined : await secretOf(context, secret)
  return {
    headers: { ...raw.headers, ...readHeaderLines(header) },
    bodyBase64: Buffer.from(bytes).toString('base64'),
    ...(webhook !== undefined && { webhookId: webhook }),
    ...(opened !== undefined && { secret: opened }),
    ...(signature !== undefined && { signature }),
    ...(scheme !== undefined && { profile: scheme as Received['profile'] & string }),
    ...(receivedAt !== undefined && { receivedAt }),
  }
}

/** A secret as it is stored, with what may be wrong in it: a blank at its end is what the doctor looks for. */
async function secretOf({ shell }: Context, source: string): Promise<string> {
  if (source.startsWith('env:')) {
    const value = shell.env[source.slice(4)]
    if (value) return value
    throw new Failure('usage', `The variable ${source.slice(4)} is not set.`)
  }
  if (source.startsWith('@')) return await readText(source.slice(1), shell)
  throw new Failure('usage', 'A secret is given by env:NAME or @file: an argument can be seen by others.')
}
