import { spawn } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AddCommand, action, type Context, examples, type Given } from '../command.ts'
import { DEFAULT_PROFILE } from '../connection/connection.ts'
import { profilesPath, readProfiles, writeProfiles } from '../connection/profile-file.ts'
import { Failure } from '../failure/failure.ts'
import { hint } from '../render/write.ts'

type Options = { port: string; state?: string; relay?: string }

const RELAY_PACKAGE = 'posthorn-relay'
const LOCAL_KEY = 'posthorn_local_admin'

/** `posthorn dev`. */
export const addDev: AddCommand = (parent, shell) => {
  parent
    .command('dev')
    .summary('a relay on this machine')
    .description(
      'Starts the whole relay on this machine from its repository, with its state on disk, until Ctrl-C. Where nobody\n' +
        'has logged in yet, the other commands go to it.',
    )
    .option('-p, --port <port>', 'where it listens', '8787')
    .option('--state <folder>', 'where it keeps its state; .posthorn in the repository when left out')
    .option('--relay <folder>', "the relay's repository, where this is neither it nor within it")
    .addHelpText('after', examples(['posthorn dev'], ['posthorn dev --port 8790 --state /tmp/relay']))
    .action(action<Options>(shell, dev))
}

async function dev(context: Context, { options }: Given<Options>): Promise<void> {
  if (!/^\d{1,5}$/.test(options.port)) throw new Failure('usage', '--port must be a number, such as 8787.')
  const relay = findRelay(options.relay)
  await logInTo(context, `http://127.0.0.1:${options.port}`)
  const { env } = context.shell
  const child = spawn('npm', ['start', '--silent'], {
    cwd: relay,
    stdio: 'inherit',
    env: {
      ...env,
      PORT: options.port,
      ...(options.state !== undefined && { STATE_DIR: path.resolve(options.state) }),
    },
  })
  // A Ctrl-C reaches the relay as well, from the terminal; another signal comes here alone.
  context.shell.signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new Failure('failed', `npm did not start: ${error.message}.`)))
    child.once('exit', resolve)
  })
  if (code !== 0 && !context.shell.signal.aborted) {
    throw new Failure('failed', `The relay ended with ${code ?? 'a signal'}; what it said is above.`)
  }
}

/** The folder of the relay's repository: the one named, one around the working folder, or one around this command. */
function findRelay(named: string | undefined): string {
  const own = path.dirname(realpathSync(fileURLToPath(import.meta.url)))
  const starts = named === undefined ? [process.cwd(), own] : [path.resolve(named)]
  const found = starts.flatMap(foldersAbove).find(isRelay)
  if (found !== undefined) return found
  throw new Failure('usage', 'The relay is not here: posthorn dev starts it from its repository.', {
    next: 'In a clone of Posthorn: npm ci, then posthorn dev; or name the clone by --relay.',
  })
}

function foldersAbove(folder: string): string[] {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...foldersAbove(parent)]
}

function isRelay(folder: string): boolean {
  const file = path.join(folder, 'package.json')
  if (!existsSync(file)) return false
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === RELAY_PACKAGE
  } catch {
    return false
  }
}

async function logInTo(context: Context, url: string): Promise<void> {
  const { env } = context.shell
  const file = profilesPath(env)
  const profiles = await readProfiles(file)
  if (profiles[DEFAULT_PROFILE] !== undefined) return
  const key = env['ADMIN_KEY'] || LOCAL_KEY
  await writeProfiles(file, { ...profiles, [DEFAULT_PROFILE]: { url, key, workspace: null } })
  await hint(context, `Other commands go to ${url} from now on (posthorn logout forgets it).`)
}
