import { isPosthornError, type Posthorn, type Schemas } from '../../../client/src/index.ts'
import { type AddCommand, action, type Context, examples } from '../command.ts'
import { clientOf, profileName } from '../connection/connection.ts'
import { profilesPath, readProfiles, writeProfiles } from '../connection/profile-file.ts'
import { requireWorkspace } from '../connection/require-workspace.ts'
import { Failure } from '../failure/failure.ts'
import { oneLine } from '../render/table.ts'
import { hint, writeJson } from '../render/write.ts'

type Options = { createWorkspace?: boolean }

const LOCAL = 'http://127.0.0.1:8787'

/** `posthorn login` and `posthorn logout`. */
export const addLogin: AddCommand = (parent, shell) => {
  parent
    .command('login')
    .summary('keep the url and the key of a relay')
    .description(
      'Tries url and key at the relay, and keeps them in your configuration folder, for you alone (mode 600).\n' +
        'The key is asked for, read from standard input, or taken from POSTHORN_KEY: an argument could be seen by others.',
    )
    .option('--create-workspace', 'make the workspace that --workspace names, where it is not there yet')
    .addHelpText(
      'after',
      examples(
        ['posthorn login --url https://hooks.example.com'],
        ['posthorn login --url https://hooks.example.com < key.txt', 'without questions'],
        ['posthorn login --profile staging --url https://staging.example.com', 'beside the usual one'],
        ['posthorn status --profile staging', 'any command takes it'],
      ),
    )
    .action(action<Options>(shell, async (context, { options }) => await login(context, options)))

  parent
    .command('logout')
    .summary('forget a relay')
    .description('Forgets the url and the key of the profile.')
    .action(action(shell, logout))
}

async function login(context: Context, { createWorkspace = false }: Options): Promise<void> {
  const { shell, globals, call } = context
  const url = globals.url || shell.env['POSTHORN_URL'] || (await askUrl(context))
  const workspace = globals.workspace || shell.env['POSTHORN_WORKSPACE'] || null
  // A url that cannot be right is told before a key is asked for.
  clientOf({ url, key: 'unknown', workspace })
  const key = await keyOf(context)
  // From outside of the workspace: a call within it would make it.
  if (createWorkspace && workspace !== null)
    await makeWorkspace(clientOf({ url, key, workspace: null }), workspace)
  else await requireWorkspace({ url, key, workspace, isNamedHere: true }, shell.signal)
  const session = await clientOf({ url, key, workspace }).session(call)
  const file = profilesPath(shell.env)
  const name = profileName(shell.env, globals)
  await writeProfiles(file, { ...(await readProfiles(file)), [name]: { url, key, workspace } })
  if (context.isJson) return await writeJson(context, { profile: name, url, file, session })
  await hint(context, `Logged in to ${url} ${describeSession(session)}. Kept in ${file}.`)
}

/** Whose key it is: `as "ci" in workspace acme`. */
export function describeSession({ kind, key, actor, workspaceId }: Schemas['Session']): string {
  const who = kind === 'operator' ? 'as the operator' : `as "${oneLine(key?.name ?? actor)}"`
  return `${who} in workspace ${workspaceId}`
}

async function askUrl({ shell }: Context): Promise<string> {
  if (shell.ask === null) {
    throw new Failure('usage', 'The url of the relay is missing.', {
      next: 'posthorn login --url https://hooks.example.com < key.txt',
    })
  }
  return await shell.ask.text('Url of the relay', { initial: LOCAL, example: 'https://hooks.example.com' })
}

async function keyOf({ shell }: Context): Promise<string> {
  const given = shell.env['POSTHORN_KEY']
  const key = (given || (await (shell.ask?.secret('Key') ?? pipedKey(shell)))).trim()
  if (key !== '') return key
  throw new Failure('usage', 'The key is missing.', {
    next: 'Send it by standard input (posthorn login --url … < key.txt), or set POSTHORN_KEY.',
  })
}

async function pipedKey({ readStdin }: Context['shell']): Promise<string> {
  return new TextDecoder().decode((await readStdin()) ?? new Uint8Array())
}

async function makeWorkspace(posthorn: Posthorn, id: string): Promise<void> {
  try {
    await posthorn.workspaces.create({ id })
  } catch (error) {
    // One of this name is there, which is all that is wanted.
    if (!isPosthornError(error) || error.code !== 'conflict') throw error
  }
}

async function logout(context: Context): Promise<void> {
  const { shell, globals } = context
  const file = profilesPath(shell.env)
  const name = profileName(shell.env, globals)
  const { [name]: forgotten, ...others } = await readProfiles(file)
  if (forgotten !== undefined) await writeProfiles(file, others)
  if (context.isJson) return await writeJson(context, { profile: name, forgotten: forgotten !== undefined })
  await hint(
    context,
    forgotten === undefined ? `Nobody was logged in as ${name}.` : `Forgot ${forgotten.url}.`,
  )
}
