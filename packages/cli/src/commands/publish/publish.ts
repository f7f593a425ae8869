import { type PublishResult, rejectionOf } from '../../../../client/src/index.ts'
import { requireJsonObject } from '../../arguments/json.ts'
import { readValue } from '../../arguments/read-file.ts'
import { parseSeconds } from '../../arguments/time.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { change } from '../../failure/change.ts'
import { Failure } from '../../failure/failure.ts'
import { counted } from '../../render/fields.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { publishFile } from './publish-file.ts'

type Options = {
  data?: string
  context?: string
  id?: string
  test?: boolean
  deliverAt?: string
  expires?: number
  file?: string
  again?: boolean
}

/** `posthorn publish`. */
export const addPublish: AddCommand = (parent, shell) => {
  parent
    .command('publish')
    .argument('[type]', 'the event type, such as invoice.paid')
    .summary('publish an event, or a file of them')
    .description(
      'Publishes an event. It is committed once the command ends with 0, and nothing is published twice by a\n' +
        'repeated request. Data is sent as it stands: 2567.50 stays 2567.50.',
    )
    .option('-d, --data <json>', 'the data: JSON, @file, or - for standard input')
    .option('--context <json>', 'the context, given in the same way')
    .option('--id <id>', 'an id of your own: the same event again is a duplicate')
    .option('--test', 'a test event (livemode false)')
    .option('--deliver-at <time>', 'not before this ISO 8601 time, at most 30 days ahead')
    .option('--expires <span>', 'skipped when it is undelivered after so long, such as 2h', parseSeconds)
    .option(
      '-f, --file <file>',
      'many events: a JSON array of them, or one on each line; - for standard input',
    )
    .option('--again', 'with --file: publish events of a file anew that has been published before')
    .addHelpText(
      'after',
      examples(
        [`posthorn publish invoice.paid --data '{"object": {"id": "inv_1", "total": 2567.50}}'`],
        ['posthorn publish invoice.paid --id order-1001 --data @invoice.json'],
        ['jq -c .events export.json | posthorn publish --file -'],
      ),
    )
    .action(action<Options>(shell, publish))
}

async function publish(context: Context, { args, options }: Given<Options>): Promise<void> {
  const [type] = args
  if (options.file !== undefined) {
    if (type !== undefined)
      throw new Failure('usage', 'A file names the types of its events: leave out the type.')
    return await publishFile(context, options.file, { isAgain: options.again === true })
  }
  if (type === undefined) {
    throw new Failure('usage', 'The event type is missing.', {
      next: `posthorn publish invoice.paid --data '{"object": {"id": "inv_1"}}'`,
    })
  }
  await publishOne(context, await eventText(context, type, options), options.id !== undefined)
}

async function publishOne(context: Context, text: string, haveIds: boolean): Promise<void> {
  const { posthorn } = await context.connect()
  const [result] = await change(context, 'posthorn events shows if it is there.', () =>
    posthorn.events.publishJson([text], { ...context.call, haveIds }),
  )
  if (result === undefined) throw new Failure('failed', 'The relay has not said what became of the event.')
  if (result.status === 'rejected') throw rejectionOf(result)
  if (context.isJson) return await writeJson(context, result)
  await write(context, `${result.id}\n`)
  await hint(context, describe(result))
}

function describe(result: Exclude<PublishResult, { status: 'rejected' }>): string {
  if (result.status === 'duplicate') return 'It had been published before; nothing was done.'
  const warnings = (result.warnings ?? []).map((warning) => `\nWarning: ${textOfWarning(warning)}`).join('')
  if (result.matched === 0)
    return `Published. No subscription wants it: posthorn events get ${result.id}${warnings}`
  return `Published for ${counted(result.matched, 'subscription')}: posthorn events get ${result.id}${warnings}`
}

function textOfWarning(warning: unknown): string {
  return typeof warning === 'string' ? warning : JSON.stringify(warning)
}

/** The event as JSON, with its data as it was given. */
async function eventText({ shell }: Context, type: string, options: Options): Promise<string> {
  const { id, test, deliverAt, expires } = options
  if (options.data === '-' && options.context === '-') {
    throw new Failure('usage', 'Standard input can be the data or the context, not both.')
  }
  const data = requireJsonObject(await readValue(options.data ?? '{}', shell), '--data')
  const given = options.context
  const context = given === undefined ? null : requireJsonObject(await readValue(given, shell), '--context')
  const head = JSON.stringify({
    event: type,
    ...(id !== undefined && { id }),
    ...(test === true && { livemode: false }),
    ...(deliverAt !== undefined && { deliverAt }),
    ...(expires !== undefined && { expiresAfterSeconds: expires }),
  }).slice(0, -1)
  return `${head},"data":${data}${context === null ? '' : `,"context":${context}`}}`
}
