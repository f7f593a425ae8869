import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Schemas } from '../../../../client/src/index.ts'
import type { Context, Given } from '../../command.ts'
import { type Change, compareSubscription } from '../../configuration/compare.ts'
import { renderChanges } from '../../configuration/render-change.ts'
import { type Settings, settingsOf } from '../../configuration/subscription-settings.ts'
import { change } from '../../failure/change.ts'
import { explain } from '../../failure/explain.ts'
import { Failure } from '../../failure/failure.ts'
import { paintFor } from '../../render/colour.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { renderYaml } from '../../yaml/render-yaml.ts'
import { settingsOfFile, settingsOfText } from './create.ts'

export type EditOptions = { file?: string }

const HEAD = `# Settings of this subscription. What you remove goes back to its default; ******** keeps what is stored.
# An empty file changes nothing. Values may be env:NAME.
`

export async function editSubscription(
  context: Context,
  { args: [id = ''], options }: Given<EditOptions>,
): Promise<void> {
  const { posthorn } = await context.connect()
  const before = await posthorn.subscriptions.get(id, context.call)
  if (options.file !== undefined) {
    return await send(context, before, await settingsOfFile(options.file, context.shell))
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'posthorn-edit-'))
  const file = path.join(folder, 'subscription.yaml')
  let isKept = false
  try {
    await writeFile(file, HEAD + renderYaml(settingsOf(before)), { mode: 0o600 })
    await openEditor(context, file)
    isKept = true
    await sendEdited(context, before, file)
    isKept = false
  } catch (error) {
    throw isKept ? keptIn(file, id, error) : error
  } finally {
    if (!isKept) await rm(folder, { recursive: true, force: true })
  }
}

async function sendEdited(context: Context, before: Schemas['Subscription'], file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  if (text.replaceAll(/^#.*$/gm, '').trim() === '')
    return await hint(context, 'The file is empty: nothing was changed.')
  await send(context, before, settingsOfText(text, file, context.shell))
}

/** Nothing that was typed is lost to a mistake in it. */
function keptIn(file: string, id: string, error: unknown): Failure {
  const { exit, message, details, next, code, requestId } = explain(error)
  const again = `Your text is kept: mend it, then posthorn subscriptions edit ${id} --file ${file}`
  return new Failure(exit, message, {
    details,
    next: next === null ? again : `${again}\n${next}`,
    code,
    requestId,
  })
}

async function send(context: Context, before: Schemas['Subscription'], wanted: Settings): Promise<void> {
  const shown = before as unknown as Settings
  const changes = compareSubscription(wanted, shown, null)
  if (changes.length === 0) {
    if (context.isJson) return await writeJson(context, before)
    return await hint(context, 'Nothing was changed.')
  }
  const { posthorn } = await context.connect()
  const after = await change(context, `posthorn subscriptions get ${before.id} shows if it is so.`, () =>
    posthorn.subscriptions.update(before.id, changeOf(changes), context.call),
  )
  if (context.isJson) return await writeJson(context, after)
  // As the relay shows them: what a reference stands for is not to be read here.
  const open = changes
    .filter(({ name }) => name !== 'secret')
    .map(({ name, from }) => ({ name, from, to: (after as unknown as Settings)[name] }))
  await write(
    context,
    `${before.uid ?? before.id} was changed:\n${renderChanges(open, paintFor(context.shell.out))}`,
  )
}

/** The body of a change. */
function changeOf(changes: readonly Change[]): Schemas['SubscriptionChange'] {
  return Object.fromEntries(
    changes.map(({ name, to }) => [name, to ?? null]),
  ) as Schemas['SubscriptionChange']
}

async function openEditor({ shell }: Context, file: string): Promise<void> {
  const { VISUAL, EDITOR } = shell.env
  const editor = VISUAL || EDITOR || 'vi'
  const next = 'Set EDITOR, or give the settings by --file.'
  // An editor has its own use for Ctrl-C; and were this to end before it, two programs would read the terminal.
  const code = await shell.lendCtrlC(
    () =>
      new Promise<number | null>((resolve, reject) => {
        // An editor may come with options, so a shell reads it; the file is an argument of its own.
        const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'posthorn', file], { stdio: 'inherit' })
        child.once('error', (error) =>
          reject(new Failure('usage', `${editor} did not start: ${error.message}.`, { next })),
        )
        child.once('exit', resolve)
      }),
  )
  if (code !== 0) throw new Failure('usage', `${editor} ended with ${code}. Nothing was changed.`, { next })
}
