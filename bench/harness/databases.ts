/** A Postgres and a Redis of the bench's own, on spare ports, with their data in its temporary folder. */
import { accessSync, chownSync, constants, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { freePort, type Processes, type Program, run } from './processes.ts'

/** Debian keeps Postgres's server programs out of PATH, one folder for each version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql'

export const INSTALL_HINT = 'apt-get update && apt-get install -y postgresql redis-server'

export interface Databases {
  readonly postgresUrl: string
  readonly redisPort: number
  readonly versions: { readonly postgres: string; readonly redis: string }
}

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly isReady: string
}

interface Binaries extends PostgresBinaries {
  readonly redis: string
}

type User = NonNullable<Program['user']>

/** Gives null when one of the two is not installed. */
export async function startDatabases(processes: Processes): Promise<Databases | null> {
  const binaries = findBinaries()
  if (!binaries) return null
  const [postgresUrl, redisPort] = [
    await startPostgres(processes, binaries),
    await startRedis(processes, binaries),
  ]
  const versions = {
    postgres: (await run(binaries.postgres, ['--version'])).stdout.trim(),
    redis: (await run(binaries.redis, ['--version'])).stdout.split(' sha=')[0]?.trim() ?? '',
  }
  return { postgresUrl, redisPort, versions }
}

/** A Postgres alone; gives its address. */
export async function startPostgres(processes: Processes, binaries: PostgresBinaries): Promise<string> {
  const port = await freePort()
  const directory = path.join(processes.directory, 'postgres')
  mkdirSync(directory, { mode: 0o700 })
  const user = await postgresUser()
  if (user) chownSync(directory, user.uid, user.gid)
  const as = { cwd: directory, ...(user ? { user } : {}) }
  const data = path.join(directory, 'data')
  const initArgs = ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8']
  await processes.output({ name: 'initdb', command: binaries.initdb, args: initArgs, ...as }, 60_000)
  const serverArgs = ['-D', data, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-k', directory]
  // SIGINT is Postgres's fast shutdown; on SIGTERM it would wait for its clients.
  const program = {
    name: 'postgres',
    command: binaries.postgres,
    args: serverArgs,
    stopSignal: 'SIGINT' as const,
  }
  const child = processes.start({ ...program, ...as })
  await processes.ready(child, async () => {
    await run(binaries.isReady, ['-h', '127.0.0.1', '-p', `${port}`])
    return true
  })
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

async function startRedis(processes: Processes, binaries: Binaries): Promise<number> {
  const port = await freePort()
  const directory = path.join(processes.directory, 'redis')
  mkdirSync(directory)
  // The append-only file makes a queued job as durable as such a team would have it.
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--appendonly', 'yes', '--dir', directory]
  const child = processes.start({ name: 'redis', command: binaries.redis, args })
  const client = path.join(path.dirname(binaries.redis), 'redis-cli')
  await processes.ready(child, async () => {
    const { stdout } = await run(client, ['-h', '127.0.0.1', '-p', `${port}`, 'ping'])
    return stdout.trim() === 'PONG'
  })
  return port
}

/** Postgres refuses to run as root: then it runs as the user that its package has made. */
async function postgresUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

function findBinaries(): Binaries | null {
  const postgres = findPostgres()
  const redis = onPath()
    .map((folder) => path.join(folder, 'redis-server'))
    .find(isExecutable)
  return postgres && redis ? { ...postgres, redis } : null
}

/** Gives null where Postgres is not installed. */
export function findPostgres(): PostgresBinaries | null {
  const found = [...onPath(), ...debianFolders()].find((folder) =>
    ['initdb', 'postgres', 'pg_isready'].every((name) => isExecutable(path.join(folder, name))),
  )
  if (!found) return null
  const inFolder = (name: string) => path.join(found, name)
  return { initdb: inFolder('initdb'), postgres: inFolder('postgres'), isReady: inFolder('pg_isready') }
}

function onPath(): string[] {
  return (process.env.PATH ?? '').split(path.delimiter)
}

/** The newest version first. */
function debianFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => path.join(DEBIAN_POSTGRES, version, 'bin'))
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
