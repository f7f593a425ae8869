import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { Failure } from '../failure/failure.ts'
import type { Shell } from '../shell/shell.ts'

/** A relay that one has logged in to. */
export type Profile = { url: string; key: string; workspace: string | null }
type Profiles = Record<string, Profile>

/** Where profiles are kept: in the user's configuration folder. */
export function profilesPath(env: Shell['env']): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: windows, HOME: home } = env
  const folder = xdg || (process.platform === 'win32' && windows) || path.join(home || homedir(), '.config')
  return path.join(folder, 'posthorn', 'config.json')
}

/** Reads the profiles; none where there is no file. */
export async function readProfiles(file: string): Promise<Profiles> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Failure('usage', `${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    const { profiles } = JSON.parse(text) as { profiles: Profiles }
    if (typeof profiles === 'object' && profiles !== null) return profiles
  } catch {
    // Told below, as is another form.
  }
  throw new Failure('usage', `${file} is no file of this command.`, {
    next: `Remove it and log in again: rm '${file}' && posthorn login`,
  })
}

/** Writes the profiles for this user alone. One who reads meanwhile sees the old ones or the new ones. */
export async function writeProfiles(file: string, profiles: Profiles): Promise<void> {
  const draft = `${file}.${process.pid}`
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    // A file made anew has its mode from its first byte, and is no link to another place.
    await rm(draft, { force: true })
    await writeFile(draft, `${JSON.stringify({ profiles }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw new Failure('failed', `${file} cannot be written: ${(error as Error).message}`, {
      next: 'Set POSTHORN_URL and POSTHORN_KEY instead.',
    })
  }
}
