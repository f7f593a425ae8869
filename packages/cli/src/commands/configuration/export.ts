import { rename, rm, writeFile } from 'node:fs/promises'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { escapeReferences, MASK } from '../../configuration/references.ts'
import { type Settings, settingsOf } from '../../configuration/subscription-settings.ts'
import { Failure } from '../../failure/failure.ts'
import { counted } from '../../render/fields.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { whileTelling } from '../../shell/progress.ts'
import { renderYaml } from '../../yaml/render-yaml.ts'
import { type Current, readCurrent } from './current.ts'
import { FORMAT_VERSION, WORKSPACE_SETTINGS } from './read-configuration.ts'

type Options = { output?: string }

/** `posthorn export`. */
export const addExport: AddCommand = (parent, shell) => {
  parent
    .command('export')
    .summary("a workspace's configuration as YAML")
    .description(
      'Writes settings, event types and subscriptions as YAML, for posthorn apply. Secrets are not in it: a credential\n' +
        'is ********, which keeps what is stored where the file is applied to the same workspace.',
    )
    .option('-o, --output <file>', 'a file instead of standard output')
    .addHelpText(
      'after',
      examples(
        ['posthorn export > posthorn.yaml'],
        ['posthorn export -o posthorn.yaml && git diff posthorn.yaml'],
      ),
    )
    .action(action<Options>(shell, exportConfiguration))
}

async function exportConfiguration(context: Context, { options }: Given<Options>): Promise<void> {
  const { posthorn } = await context.connect()
  const current = await whileTelling(context.shell, 'Reading the workspace', (progress) =>
    readCurrent(posthorn, context, progress),
  )
  const configuration = configurationOf(current)
  if (options.output !== undefined) {
    const text = context.isJson
      ? `${JSON.stringify(configuration, null, 2)}\n`
      : textOf(current, configuration)
    await writeWhole(options.output, text)
    const what = `${counted(current.eventTypes.length, 'event type')}, ${counted(current.subscriptions.length, 'subscription')}`
    return await hint(context, `${what} written to ${options.output}.`)
  }
  if (context.isJson) return await writeJson(context, configuration)
  await write(context, textOf(current, configuration))
}

type Configuration = {
  version: typeof FORMAT_VERSION
  workspace?: Settings
  eventTypes: Settings[]
  subscriptions: Settings[]
}

/** A workspace as a file says it, in an order that does not change by itself. */
export function configurationOf({ settings, eventTypes, subscriptions }: Current): Configuration {
  const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1)
  const oldestFirst = subscriptions.toReversed()
  return {
    version: FORMAT_VERSION,
    ...(settings !== null && {
      workspace: Object.fromEntries(
        WORKSPACE_SETTINGS.map((name) => [name, escapeReferences(settings[name])]),
      ),
    }),
    eventTypes: eventTypes.toSorted(byName).map(typeOf),
    // One without an id of its own is known by the id that this workspace gave it.
    subscriptions: oldestFirst.map((each) => ({
      ...(each.uid === null && { id: each.id }),
      ...settingsOf(each),
    })),
  }
}

function typeOf({
  name,
  description,
  group,
  schema,
  example,
  deprecated,
}: Current['eventTypes'][number]): Settings {
  return {
    name,
    ...(description !== null && { description }),
    ...(group !== null && { group }),
    ...(deprecated && { deprecated }),
    ...(schema !== null && { schema }),
    ...(example !== null && { example }),
  }
}

function textOf({ workspaceId }: Current, configuration: Configuration): string {
  const body = renderYaml(configuration)
  const head = [
    `Configuration of the workspace ${workspaceId}. posthorn apply <file> makes a workspace so.`,
    'A setting of a subscription that is left out has its default; what is not in the file at all is left alone.',
    'A secret is kept where it is left out. To set one: secret: env:NAME, also in headers and auth.',
    ...(body.includes(MASK)
      ? [`${MASK} keeps what is stored; for another workspace give env:NAME instead.`]
      : []),
  ]
  return `${head.map((line) => `# ${line}\n`).join('')}${body}`
}

/** The file is the old one or the new one, and never a part. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.part`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw new Failure('failed', `${file} cannot be written: ${(error as Error).message}.`)
  }
}
