import type { Schemas } from '../../../../client/src/index.ts'
import { nameOf, readText } from '../../arguments/read-file.ts'
import type { Context, Given } from '../../command.ts'
import { missingReferences, openReference, resolveReferences } from '../../configuration/references.ts'
import type { Settings } from '../../configuration/subscription-settings.ts'
import { change } from '../../failure/change.ts'
import { Failure } from '../../failure/failure.ts'
import { oneLine } from '../../render/table.ts'
import { hint, write, writeJson } from '../../render/write.ts'
import { readYaml } from '../../yaml/read-yaml.ts'

export type CreateOptions = {
  to?: string
  type?: string[]
  uid?: string
  name?: string
  secret?: string
  file?: string
}

export async function createSubscription(context: Context, { options }: Given<CreateOptions>): Promise<void> {
  const settings = await settingsFrom(context, options)
  if (settings['url'] === undefined || settings['events'] === undefined) {
    throw new Failure('usage', 'A subscription needs a url and the types of its events.', {
      next: 'posthorn subscriptions create --to https://example.com/hooks --type "invoice.*"',
    })
  }
  const { posthorn } = await context.connect()
  const made = await change(
    context,
    'posthorn subscriptions shows if it is there, and rotate gives it a secret.',
    () => posthorn.subscriptions.create(settings as Schemas['SubscriptionSettings'], context.call),
  )
  if (context.isJson) return await writeJson(context, made)
  await write(context, `${made.id}\n`)
  for (const { path, message } of made.warnings ?? [])
    await hint(context, `Warning: ${path} ${oneLine(message)}`)
  if (settings['secret'] === undefined && !made.secret.includes('*')) {
    await hint(context, `Its secret, which is shown this once: ${made.secret}`)
  }
}

async function settingsFrom({ shell }: Context, options: CreateOptions): Promise<Settings> {
  const { to, type, uid, name, secret, file } = options
  const given = file === undefined ? {} : await settingsOfFile(file, shell)
  return {
    ...given,
    ...(to !== undefined && { url: to }),
    ...(type !== undefined && { events: type }),
    ...(uid !== undefined && { uid }),
    ...(name !== undefined && { name }),
    ...(secret !== undefined && { secret: openReference(secret, shell.env) }),
  }
}

/**
 * The settings that a file has, with what it refers to in its place.
 *
 * @throws Failure for what is no mapping, and for a variable that is not set
 */
export async function settingsOfFile(file: string, shell: Context['shell']): Promise<Settings> {
  return settingsOfText(await readText(file, shell), nameOf(file), shell)
}

export function settingsOfText(text: string, name: string, { env }: Pick<Context['shell'], 'env'>): Settings {
  const { value } = readYaml(text, name)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('usage', `${name} must have settings by name, such as url: https://example.com/hooks`)
  }
  const [missing] = missingReferences(value, env)
  if (missing !== undefined) throw new Failure('usage', `${name} refers to ${missing}, which is not set.`)
  return resolveReferences(value, env) as Settings
}
