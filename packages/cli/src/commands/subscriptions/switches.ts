import type { Context, Given } from '../../command.ts'
import { openReference } from '../../configuration/references.ts'
import { change } from '../../failure/change.ts'
import { Failure } from '../../failure/failure.ts'
import { paintFor } from '../../render/colour.ts'
import { oneLine } from '../../render/table.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { requireYes } from '../../shell/confirm.ts'
import { whileTelling } from '../../shell/progress.ts'

type Switch = 'pause' | 'resume' | 'enable' | 'disable'
export type RotateOptions = { overlap?: number; secret?: string }

const DONE: Record<Switch, string> = {
  pause: 'is paused: deliveries wait for posthorn subscriptions resume.',
  resume: 'delivers again, also what has waited.',
  enable: 'is enabled. What came meanwhile: posthorn replay --webhook',
  disable: 'is disabled: events are skipped until posthorn subscriptions enable.',
}

/** The work of one of the switches. */
export function switchTo(name: Switch): (context: Context, given: Given<object>) => Promise<void> {
  return async (context, { args: [id = ''] }) => {
    const { posthorn } = await context.connect()
    const after = await change(context, 'Run it again: a second time changes nothing.', () =>
      posthorn.subscriptions[name](id, context.call),
    )
    if (context.isJson) return await writeJson(context, after)
    await hint(context, `${id} ${DONE[name]}${name === 'enable' ? ` ${id} --status skipped` : ''}`)
  }
}

export async function deleteSubscription(
  context: Context,
  { args: [id = ''] }: Given<object>,
): Promise<void> {
  const { posthorn } = await context.connect()
  const { url, name } = await posthorn.subscriptions.get(id, context.call)
  const question = `Delete ${oneLine(name ?? id)} (${url})? What is outstanding to it is skipped.`
  await requireYes(context.shell, question, context)
  const deleted = await change(context, 'posthorn subscriptions shows if it is there still.', () =>
    posthorn.subscriptions.delete(id, context.call),
  )
  if (context.isJson) return await writeJson(context, deleted)
  await hint(context, `${id} is deleted; its log can still be read.`)
}

export async function rotateSecret(
  context: Context,
  { args: [id = ''], options: { overlap, secret } }: Given<RotateOptions>,
): Promise<void> {
  const { posthorn } = await context.connect()
  const body = {
    ...(overlap !== undefined && { overlapSeconds: overlap }),
    ...(secret !== undefined && { secret: openReference(secret, context.shell.env) }),
  }
  await requireYes(context.shell, `Give ${id} a new secret?`, context)
  const after = await posthorn.subscriptions.rotateSecret(id, body)
  if (context.isJson) return await writeJson(context, after)
  // A secret that was given need not be shown once more.
  if (secret === undefined) await write(context, `${after.secret}\n`)
  const until = after.previousSecretValidUntil
  const old = until === undefined ? 'The old one no longer signs.' : `The old one signs too, until ${until}.`
  await hint(context, `${id} has a new secret. ${old}`)
}

export async function checkSubscription(context: Context, { args: [id = ''] }: Given<object>): Promise<void> {
  const { posthorn } = await context.connect()
  const check = await whileTelling(context.shell, 'Waiting for the receiver', () =>
    posthorn.subscriptions.check(id, { ...context.call, timeoutMs: CHECK_MS_MAX }),
  )
  if (context.isJson) await writeJson(context, check)
  else {
    const paint = paintFor(context.shell.out)
    const tone = { passed: 'good', failed: 'bad', skipped: 'quiet', unknown: 'doubtful' } as const
    const lines = check.steps.map(({ step, result, message }) =>
      `${step.padEnd(10)}  ${paint(tone[result], result)}  ${oneLine(message ?? '')}`.trimEnd(),
    )
    await write(context, `${lines.join('\n')}\n`)
  }
  if (!check.reachable)
    throw new Failure('failed', oneLine(check.message ?? 'The receiver cannot be reached.'))
}

/** The relay waits for the receiver as long as the subscription's timeout, and ten seconds more. */
const CHECK_MS_MAX = 60_000
