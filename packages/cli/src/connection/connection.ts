import { Posthorn } from '../../../client/src/index.ts'
import { Failure } from '../failure/failure.ts'
import type { Shell } from '../shell/shell.ts'
import { type Profile, profilesPath, readProfiles } from './profile-file.ts'

/** Options of every command that say where it goes. */
export type ConnectionFlags = { url?: string; workspace?: string; profile?: string }

/** Where a command goes, and as whom. */
export type Connection = {
  url: string
  key: string
  workspace: string | null
  /** True where the workspace is named with the command, and not by a login, which has looked for it. */
  isNamedHere: boolean
}

/** A person would rather know than wait: three retries take four seconds at most. */
const RETRIES_MAX = 3

export const DEFAULT_PROFILE = 'default'

/** Finds where a command goes: by its options, then by the environment, then by the login. */
export async function findConnection(env: Shell['env'], flags: ConnectionFlags): Promise<Connection> {
  const file = profilesPath(env)
  const name = profileName(env, flags)
  const profiles = await readProfiles(file)
  const profile = Object.hasOwn(profiles, name) ? (profiles[name] ?? null) : null
  if (profile === null && name !== DEFAULT_PROFILE) {
    throw new Failure('access', `There is no profile ${name} in ${file}.`, {
      next: `posthorn login --profile ${name}`,
    })
  }
  return mergeConnection(env, flags, profile)
}

export function profileName(env: Shell['env'], flags: ConnectionFlags): string {
  return flags.profile || env['POSTHORN_PROFILE'] || DEFAULT_PROFILE
}

/**
 * Puts together what options, environment and login say. The key of a login goes to the relay of that login alone.
 *
 * @throws Failure where url or key is missing
 */
export function mergeConnection(
  env: Shell['env'],
  flags: ConnectionFlags,
  profile: Profile | null,
): Connection {
  const url = flags.url || env['POSTHORN_URL'] || profile?.url
  const key = env['POSTHORN_KEY'] || (isSameRelay(url, profile?.url) ? profile?.key : undefined)
  const named = flags.workspace || env['POSTHORN_WORKSPACE']
  if (url === undefined) {
    throw new Failure('access', 'No relay is known: nobody has logged in here.', {
      next: 'posthorn login, or set POSTHORN_URL and POSTHORN_KEY. posthorn dev starts a relay here.',
    })
  }
  if (key === undefined) {
    throw new Failure('access', `No key is known for ${url}.`, {
      next: `posthorn login --url ${url}, or set POSTHORN_KEY.`,
    })
  }
  const isOther = key !== profile?.key
  const workspace = named || (isOther ? null : profile?.workspace) || null
  return { url, key, workspace, isNamedHere: named !== undefined && named !== '' }
}

/** Makes the client. */
export function clientOf({ url, key, workspace }: Omit<Connection, 'isNamedHere'>): Posthorn {
  try {
    return new Posthorn({ url, key, retries: { max: RETRIES_MAX }, ...(workspace !== null && { workspace }) })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new Failure('usage', `${error.message} (${message(error.message, { url, workspace })})`, {
      next: 'Give it by --url or --workspace, or by POSTHORN_URL, POSTHORN_KEY and POSTHORN_WORKSPACE.',
    })
  }
}

/** The value that is at fault; never the key's. */
function message(text: string, { url, workspace }: { url: string; workspace: string | null }): string {
  if (text.startsWith('url')) return `it is ${JSON.stringify(url)}`
  if (text.startsWith('workspace')) return `it is ${JSON.stringify(workspace)}`
  return 'its value is not shown'
}

function isSameRelay(url: string | undefined, other: string | undefined): boolean {
  if (url === undefined || other === undefined) return false
  const plain = (text: string) => text.replace(/\/+$/, '')
  return plain(url) === plain(other)
}
