import { nameOf, readText } from '../../arguments/read-file.ts'
import { type AddCommand, action, type Context, examples, type Given } from '../../command.ts'
import { renderChanges } from '../../configuration/render-change.ts'
import { Failure } from '../../failure/failure.ts'
import { type Paint, paintFor } from '../../render/colour.ts'
import { counted } from '../../render/fields.ts'
import { oneLine } from '../../render/table.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { requireYes } from '../../shell/confirm.ts'
import { whileTelling } from '../../shell/progress.ts'
import { carryOut } from './carry-out.ts'
import { readCurrent } from './current.ts'
import { type Plan, planChanges, type Step } from './plan.ts'
import { readConfiguration, requireReferences } from './read-configuration.ts'

type Options = { dryRun?: boolean; prune?: boolean; exitCode?: boolean }

/** `posthorn apply`. */
export const addApply: AddCommand = (parent, shell) => {
  parent
    .command('apply')
    .argument('<file>', 'a configuration as posthorn export writes it; - for standard input')
    .summary('make a workspace as a file says')
    .description(
      'Shows how the workspace differs from the file, asks, and changes what differs. A second run changes nothing;\n' +
        'one that was stopped is finished by running it again. What the file does not have is left alone.',
    )
    .option('--dry-run', 'only show')
    .option('--prune', 'delete subscriptions and event types that the file does not have')
    .option('--exit-code', 'with --dry-run: end with 9 where they differ')
    .addHelpText(
      'after',
      examples(
        ['posthorn apply posthorn.yaml'],
        ['posthorn apply posthorn.yaml --yes', 'without asking, for CI'],
        ['posthorn apply posthorn.yaml --dry-run --exit-code', 'has somebody changed it by hand?'],
      ),
    )
    .action(action<Options>(shell, apply))
}

async function apply(context: Context, { args: [name = ''], options }: Given<Options>): Promise<void> {
  const { shell } = context
  const configuration = readConfiguration(await readText(name, shell), nameOf(name))
  const { posthorn } = await context.connect()
  const current = await whileTelling(shell, 'Reading the workspace', (progress) =>
    readCurrent(posthorn, context, progress),
  )
  const plan = planChanges(configuration, current, { env: shell.env, prunes: options.prune === true })
  requireReferences(configuration, plan.steps.map(sentBy), shell.env)
  if (!context.isJson) await write(context, renderPlan(plan, paintFor(shell.out)))
  if (options.dryRun) {
    if (context.isJson)
      await writeJson(context, { steps: plan.steps.map(summaryOf), leftAlone: plan.leftAlone })
    if (options.exitCode && plan.steps.length > 0)
      throw new Failure('differs', 'The workspace is not as the file says.')
    return
  }
  if (plan.steps.length > 0) {
    await requireYes(
      shell,
      `Make ${counted(plan.steps.length, 'change')} in ${current.workspaceId}?`,
      context,
    )
    await carryOut(context, { posthorn, steps: plan.steps, file: configuration.file })
  }
  if (context.isJson)
    return await writeJson(context, { done: plan.steps.map(summaryOf), leftAlone: plan.leftAlone })
  if (plan.steps.length > 0) await hint(context, `${counted(plan.steps.length, 'change')} made.`)
}

/** The part of a step that is sent: its references have to be known before the first step. */
function sentBy(step: Step): unknown {
  switch (step.kind) {
    case 'create':
      return step.settings
    case 'settings':
    case 'update':
      return step.changes.map(({ to }) => to)
    case 'put_type':
    case 'delete':
    case 'delete_type':
      return null
  }
}

/** A step as machines are told of it. */
function summaryOf(step: Step): { kind: Step['kind']; label: string; fields: string[] } {
  const fields = 'changes' in step ? step.changes.map(({ name }) => name) : []
  return { kind: step.kind, label: step.label, fields }
}

/** The difference between a workspace and its file. */
export function renderPlan({ steps, leftAlone }: Plan, paint: Paint): string {
  const same = steps.length === 0 ? 'The workspace is as the file says.\n' : ''
  const left = `Left alone, as the file does not have them (--prune deletes them): ${leftAlone.join(', ')}`
  return [
    ...steps.map((step) => renderStep(step, paint)),
    same,
    leftAlone.length === 0 ? '' : `${paint('quiet', left)}\n`,
  ].join('')
}

function renderStep(step: Step, paint: Paint): string {
  const label = oneLine(step.label)
  switch (step.kind) {
    case 'create':
      return `${paint('good', `+ ${label}`)}\n`
    case 'put_type':
      if (step.isNew) return `${paint('good', `+ ${label}`)}\n`
      return `${paint('doubtful', `~ ${label}`)}\n${renderChanges(step.changes, paint)}`
    case 'settings':
    case 'update':
      return `${paint('doubtful', `~ ${label}`)}\n${renderChanges(step.changes, paint)}`
    case 'delete':
    case 'delete_type':
      return `${paint('bad', `- ${label}`)}\n`
  }
}
