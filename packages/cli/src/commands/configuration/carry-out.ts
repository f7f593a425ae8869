import { isPosthornError, type Posthorn, type Schemas } from '../../../../client/src/index.ts'
import type { Context } from '../../command.ts'
import { resolveReferences } from '../../configuration/references.ts'
import type { Settings } from '../../configuration/subscription-settings.ts'
import { explain } from '../../failure/explain.ts'
import { Failure, Interrupted } from '../../failure/failure.ts'
import { whileTelling } from '../../shell/progress.ts'
import type { YamlFile } from '../../yaml/read-yaml.ts'
import type { Step } from './plan.ts'

type Work = { posthorn: Posthorn; steps: readonly Step[]; file: YamlFile }

/**
 * Makes the changes one after the other. Where one fails, or at Ctrl-C, the failure says what was done and what was not;
 * a step is never broken off, so that this is known.
 */
export async function carryOut(context: Context, { posthorn, steps, file }: Work): Promise<void> {
  const { shell } = context
  await whileTelling(shell, 'Applying', async (progress) => {
    for (const [i, step] of steps.entries()) {
      progress.say(`${i} of ${steps.length} changes made`)
      try {
        if (shell.signal.aborted) throw new Interrupted()
        await take(posthorn, step, shell.env)
      } catch (error) {
        throw stoppedAt(i, error, { posthorn, steps, file })
      }
    }
  })
}

async function take(posthorn: Posthorn, step: Step, env: Context['shell']['env']): Promise<void> {
  switch (step.kind) {
    case 'settings': {
      const { workspaceId } = await posthorn.session()
      await posthorn.workspaces.update(workspaceId, bodyOf(step.changes, env))
      return
    }
    case 'put_type':
      await posthorn.eventTypes.put(step.name, step.body as Schemas['EventTypeSettings'])
      return
    case 'create':
      await posthorn.subscriptions.create(
        resolveReferences(step.settings, env) as Schemas['SubscriptionSettings'],
      )
      return
    case 'update':
      await requireUnchanged(posthorn, step)
      await posthorn.subscriptions.update(step.id, bodyOf(step.changes, env))
      return
    case 'delete_type':
      await posthorn.eventTypes.delete(step.name)
      return
    case 'delete':
      await posthorn.subscriptions.delete(step.id)
      return
  }
}

function bodyOf(changes: readonly { name: string; to: unknown }[], env: Context['shell']['env']): Settings {
  return Object.fromEntries(changes.map(({ name, to }) => [name, resolveReferences(to ?? null, env)]))
}

/** Makes sure that the change is the one that was shown and agreed to. */
async function requireUnchanged(
  posthorn: Posthorn,
  { id, label, updatedAt }: Step & { kind: 'update' },
): Promise<void> {
  const now = await posthorn.subscriptions.get(id)
  if (now.updatedAt === updatedAt) return
  throw new Failure('conflict', `The ${label} was changed by another since it was compared.`, {
    next: 'Run the command again: it compares anew.',
  })
}

function stoppedAt(at: number, error: unknown, { steps, file }: Work): Failure {
  const failed = steps[at]
  const { exit, message, details, next, code, requestId } = explain(error)
  const place =
    failed === undefined || failed.path.length === 0 ? '' : `${file.placeOf(placeIn(failed, error))}: `
  const what = exit === 'interrupted' ? 'Stopped.' : `${place}${failed?.label ?? ''}: ${message}`
  const done = steps.slice(0, at).map(({ label }) => label)
  const left = steps.slice(at).map(({ label }) => label)
  return new Failure(exit, what, {
    details: [
      ...details,
      done.length === 0 ? 'Nothing was done.' : `Done: ${done.join(', ')}`,
      `Not done: ${left.join(', ')}`,
    ],
    next: `Run the command again once that is mended: it does what is left.${next === null ? '' : `\n${next}`}`,
    code,
    requestId,
  })
}

/** The path in the file of the field that the relay names. */
function placeIn({ path }: Step, error: unknown): readonly (string | number)[] {
  const field = isPosthornError(error) ? error.details[0]?.path : undefined
  if (field === undefined) return path
  const steps = field.split(/[.[\]]+/).filter((each) => each !== '')
  return [...path, ...steps.map((each) => (/^\d+$/.test(each) ? Number(each) : each))]
}
