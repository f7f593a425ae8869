import { requireJsonObject } from '../arguments/json.ts'
import { readValue } from '../arguments/read-file.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../command.ts'
import { change } from '../failure/change.ts'
import { Failure } from '../failure/failure.ts'
import { counted } from '../render/fields.ts'
import { hint, write, writeJson } from '../render/write.ts'

type Options = { live?: boolean; data?: string; webhook?: string }

/** `posthorn trigger`. */
export const addTrigger: AddCommand = (parent, shell) => {
  parent
    .command('trigger')
    .argument('<type>', 'a type of the catalogue, such as invoice.paid')
    .summary('publish the example of an event type')
    .description(
      'Publishes the example that the catalogue has of a type, as a test event (livemode false), to all that want it.\n' +
        'With --webhook it goes to one subscription alone, whether that wants it or not, and shows the answer.',
    )
    .option('--live', 'as a live event')
    .option('-d, --data <json>', 'this data instead of the example: JSON, @file, or - for standard input')
    .option('--webhook <id>', 'only to this subscription, by id or uid')
    .addHelpText(
      'after',
      examples(['posthorn trigger invoice.paid'], ['posthorn trigger invoice.paid --webhook crm:contacts']),
    )
    .action(action<Options>(shell, trigger))
}

async function trigger(context: Context, { args: [type = ''], options }: Given<Options>): Promise<void> {
  const { posthorn } = await context.connect()
  const data =
    options.data === undefined
      ? await exampleOf(context, type)
      : (JSON.parse(requireJsonObject(await readValue(options.data, context.shell), '--data')) as object)
  if (options.webhook !== undefined) return await sendTest(context, { webhook: options.webhook, type, data })
  const accepted = await change(context, 'posthorn events shows if it is there.', () =>
    posthorn.events.publish({ event: type, data, livemode: options.live === true }, context.call),
  )
  if (context.isJson) return await writeJson(context, accepted)
  await write(context, `${accepted.id}\n`)
  const to =
    accepted.matched === 0 ? 'No subscription wants it' : `For ${counted(accepted.matched, 'subscription')}`
  await hint(context, `${to}: posthorn events get ${accepted.id}`)
}

async function exampleOf(context: Context, type: string): Promise<object> {
  const { posthorn } = await context.connect()
  const found = await posthorn.eventTypes.get(type, context.call).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error && error.code === 'not_found' ? noType(type) : error
  })
  if (found.example !== null) return found.example
  throw new Failure('not_found', `The catalogue has no example of ${type}. Nothing was published.`, {
    next: `Give data: posthorn trigger ${type} --data '{"object": {}}'`,
  })
}

function noType(type: string): Failure {
  return new Failure('not_found', `The catalogue has no type ${type}. Nothing was published.`, {
    next: `posthorn types list shows what there is; posthorn publish ${type} publishes any.`,
  })
}

async function sendTest(
  context: Context,
  { webhook, type, data }: { webhook: string; type: string; data: object },
): Promise<void> {
  const { posthorn } = await context.connect()
  const outcome = await change(context, 'posthorn deliveries --webhook shows if it was sent.', () =>
    posthorn.subscriptions.test(webhook, { event: type, data: { ...data } }, context.call),
  )
  if (context.isJson) await writeJson(context, outcome)
  if (!outcome.success && outcome.status !== 'pending') {
    throw new Failure(
      'failed',
      `The receiver did not take it: ${outcome.errorMessage ?? outcome.responseCode}.`,
      {
        next: `posthorn deliveries get ${outcome.deliveryId}`,
      },
    )
  }
  if (!context.isJson) await write(context, `${outcome.status}: ${outcome.responseCode ?? 'no answer yet'}\n`)
}
