import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { RelayStartError } from '../start-error.ts'
import { KEY_FILES } from '../state.ts'
import { copyDatabase, mergeObjects } from './backup-databases.ts'

/** The copied files by kind, and the size of the archive. */
export type BackupReport = { databases: number; objects: number; bytes: number }

/** What is made anew at a start, or belongs to a process. */
const LEFT_OUT = /(?:^|[/\\])(?:cache|observability)[/\\]|-(?:wal|shm)$/

/**
 * Copies a state folder into a compressed archive, also while a relay runs on it. Each database is as it was at one
 * moment. The pacers' come first, as they may be behind D1 and never ahead; of R2 the copy has what D1's may name: all
 * that was there before D1 was copied, and all that was there after.
 */
export async function backUp(stateDir: string, file: string): Promise<BackupReport> {
  const from = path.resolve(stateDir)
  const to = path.resolve(file)
  if (!(await exists(path.join(from, 'v3', 'd1')))) throw new RelayStartError(`There is no state in ${from}.`)
  if (await exists(to)) throw new RelayStartError(`${to} exists; name another file.`)
  const draft = await mkdtemp(`${to}.partial-`).catch((error: Error) => {
    throw new RelayStartError(`${to} cannot be written: ${error.message}`)
  })
  try {
    const copy = new Copy(path.join(from, 'v3'), path.join(draft, 'state', 'v3'))
    const keysBefore = await readKeys(from)
    await copy.take()
    await writeKeys(path.join(draft, 'state'), keysBefore, await readKeys(from))
    const archive = path.join(draft, 'archive.tgz')
    execFileSync('tar', ['-czf', archive, '-C', path.join(draft, 'state'), '.'])
    await chmod(archive, 0o600)
    await rename(archive, to)
    return { databases: copy.databases, objects: copy.objects, bytes: (await stat(to)).size }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

type Keys = { current: string; previous: string | null }

async function readKeys(dir: string): Promise<Keys> {
  const read = (name: string) => readFile(path.join(dir, name), 'utf8')
  const previous = await read(KEY_FILES.previous).catch(ignoreMissing)
  return { current: await read(KEY_FILES.current), previous: previous ?? null }
}

/** Writes the keys that the copied secrets may need: a change of keys may have begun or ended while they were copied. */
async function writeKeys(dir: string, before: Keys, after: Keys): Promise<void> {
  const replaced = before.current === after.current ? null : before.current
  const previous = after.previous ?? before.previous ?? replaced
  await writeFile(path.join(dir, KEY_FILES.current), after.current, { mode: 0o600 })
  if (previous !== null) await writeFile(path.join(dir, KEY_FILES.previous), previous, { mode: 0o600 })
}

/** The data of one state on its way into the archive. */
class Copy {
  databases = 0
  objects = 0
  readonly #from: string
  readonly #to: string

  constructor(from: string, to: string) {
    this.#from = from
    this.#to = to
  }

  async take(): Promise<void> {
    await this.#copyBelow('r2')
    const earlier = path.join(this.#to, '..', 'r2-earlier')
    await rename(path.join(this.#to, 'r2'), earlier).catch(ignoreMissing)
    const folders = (await readdir(this.#from)).filter((name) => name !== 'd1' && name !== 'r2')
    for (const folder of [...folders, 'd1', 'r2']) await this.#copyBelow(folder)
    this.objects = await mergeObjects({ into: path.join(this.#to, 'r2'), earlier })
    await rm(earlier, { recursive: true, force: true })
  }

  async #copyBelow(folder: string): Promise<void> {
    const names = await readdir(path.join(this.#from, folder), { recursive: true }).catch(ignoreMissing)
    let databases = 0
    for (const name of names ?? []) {
      const inside = path.join(folder, name)
      const source = path.join(this.#from, inside)
      if (LEFT_OUT.test(inside) || !(await isFile(source))) continue
      const target = path.join(this.#to, inside)
      await mkdir(path.dirname(target), { recursive: true })
      if (name.endsWith('.sqlite')) {
        copyDatabase(source, target)
        databases++
      } else {
        // An object may be removed at any time; none that D1's copy names has been.
        await copyFile(source, target, constants.COPYFILE_FICLONE).catch(ignoreMissing)
      }
    }
    this.databases += folder === 'r2' && this.databases > 0 ? 0 : databases
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(ignoreMissing)) !== undefined
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(ignoreMissing))?.isFile() ?? false
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
