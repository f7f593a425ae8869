import type { Data, Schemas } from '../../../../client/src/index.ts'
import { nameOf, readText } from '../../arguments/read-file.ts'
import { parseCount } from '../../arguments/time.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { change } from '../../failure/change.ts'
import { Failure } from '../../failure/failure.ts'
import { paintFor } from '../../render/colour.ts'
import { counted, plain } from '../../render/fields.ts'
import type { Column } from '../../render/table.ts'
import { oneLine } from '../../render/table.ts'
import { hint, write, writeJson, writeList } from '../../render/write.ts'
import { requireYes } from '../../shell/confirm.ts'
import { whileTelling } from '../../shell/progress.ts'
import { readYaml } from '../../yaml/read-yaml.ts'

type Imported = Data<'/api/v1/event-types/import', 'post'>

/** `posthorn types`. */
export const addTypes: AddCommand = (parent, shell) => {
  const types = parent
    .command('types')
    .summary('the catalogue of event types')
    .description('The catalogue of event types.')
  types
    .command('list', { isDefault: true })
    .summary('the types of the catalogue (what `types` alone does)')
    .option('-s, --search <text>', 'a text in name, description or group')
    .option('-n, --limit <count>', 'how many at most', parseCount, 200)
    .action(action<{ search?: string; limit: number }>(shell, listTypes))
  types
    .command('import')
    .argument('<file>', 'an OpenAPI 3.1 document or a list of types, as YAML or JSON; - for standard input')
    .summary('take over the types of an OpenAPI document')
    .description(
      'Shows which types would be created and changed, asks, and imports them in one request.\n' +
        'A second run changes nothing that is there already.',
    )
    .option('--dry-run', 'only show')
    .addHelpText(
      'after',
      examples(
        ['posthorn types import openapi.yaml'],
        ['posthorn types import openapi.json --dry-run --json'],
      ),
    )
    .action(action<{ dryRun?: boolean }>(shell, importTypes))
}

async function listTypes(
  context: Context,
  { options: { search, limit } }: Given<{ search?: string; limit: number }>,
): Promise<void> {
  const { posthorn } = await context.connect()
  const query = search === undefined ? {} : { q: search }
  const types = await posthorn.eventTypes.list(query, context.call).take(limit)
  const empty = 'The catalogue has no such types. posthorn types import openapi.yaml fills it.'
  await writeList(context, types, { columns: COLUMNS, empty })
}

const COLUMNS: Column<Schemas['EventType']>[] = [
  { title: 'TYPE', cell: ({ name }) => name },
  { title: 'GROUP', cell: ({ group }) => group ?? '', shrinks: true },
  { title: 'SCHEMA', cell: ({ schema }) => (schema === null ? '' : 'yes') },
  { title: 'EXAMPLE', cell: ({ example }) => (example === null ? '' : 'yes') },
  {
    title: 'DESCRIPTION',
    cell: ({ description, deprecated }) => `${deprecated ? 'DEPRECATED ' : ''}${plain(description) ?? ''}`,
    shrinks: true,
  },
]

async function importTypes(
  context: Context,
  { args: [file = ''], options }: Given<{ dryRun?: boolean }>,
): Promise<void> {
  const { shell } = context
  const { value } = readYaml(await readText(file, shell), nameOf(file))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('usage', `${nameOf(file)} is neither an OpenAPI document nor {"eventTypes": […]}.`)
  }
  const body = value as Record<string, unknown>
  const { posthorn } = await context.connect()
  const preview = await whileTelling(shell, 'Comparing with the catalogue', () =>
    posthorn.eventTypes.import(body, { dryRun: true }, context.call),
  )
  const changes = preview.created.length + preview.updated.length
  if (options.dryRun && context.isJson) return await writeJson(context, preview)
  if (!context.isJson) await write(context, renderImport(preview, context))
  if (options.dryRun) return
  if (changes === 0) {
    if (context.isJson) return await writeJson(context, { ...preview, dryRun: false })
    return await hint(context, 'Nothing is to be done.')
  }
  await requireYes(shell, `Import ${counted(changes, 'type')}?`, context)
  const done = await whileTelling(shell, 'Importing', () =>
    change(context, 'Run it again: what is there already is unchanged.', () =>
      posthorn.eventTypes.import(body, {}, context.call),
    ),
  )
  if (context.isJson) return await writeJson(context, done)
  await hint(context, `${done.created.length} created, ${done.updated.length} changed.`)
}

function renderImport(
  { created, updated, unchanged, skipped, warnings }: Imported,
  { shell }: Context,
): string {
  const paint = paintFor(shell.out)
  const noted = (sign: string, notes: Imported['skipped']) =>
    notes.map(({ name, reason }) => oneLine(`${sign} ${name}: ${reason}`))
  const lines = [
    ...created.map((name) => paint('good', `+ ${name}`)),
    ...updated.map((name) => paint('doubtful', `~ ${name}`)),
    ...noted('! skipped', skipped).map((line) => paint('bad', line)),
    ...noted('!', warnings).map((line) => paint('doubtful', line)),
    paint(
      'quiet',
      `${created.length} to create, ${updated.length} to change, ${unchanged.length} as they are`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
