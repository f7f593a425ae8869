import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import {
  unstable_getMiniflareWorkerOptions as getWorkerOptions,
  unstable_readConfig as readConfig,
  unstable_splitSqlQuery as splitSqlQuery,
} from 'wrangler'
import { ROOT } from '../root.ts'
import { bundleWorker } from './bundle.ts'

/** One file of migrations/. */
export type Migration = { name: string; statements: string[] }

/** All that a relay takes from the sources; queue and binding names live in wrangler.toml only. */
export type Build = { worker: V4WorkerOptions; migrations: Migration[] }

const MIGRATIONS = path.join(ROOT, 'migrations')
const WITHOUT_FILES = { overrides: {}, envFiles: [path.join(ROOT, 'node_modules', '.no-variables')] }

/** Bundles the Worker into a file and reads the rest: what wrangler.toml says of it, and migrations by statement. */
export async function makeBuild(bundle: string): Promise<Build> {
  const config = readConfig({ config: path.join(ROOT, 'wrangler.toml') }, { hideWarnings: true })
  // Secrets come from the caller; asked for here, wrangler would look for them in the shell and warn.
  delete config.secrets
  // The relay serves assets itself: with Miniflare's, every request would pass two more Workers.
  delete config.assets
  // Variables too: without a file to read, wrangler neither takes one from `.dev.vars` nor says so.
  const { workerOptions, main } = getWorkerOptions(config, undefined, WITHOUT_FILES)
  if (!main) throw new Error('wrangler.toml names no main')
  await bundleWorker(main, bundle)
  const worker = { ...workerOptions, name: config.name ?? 'posthorn' } as V4WorkerOptions
  return { worker, migrations: await readMigrations() }
}

/** Bundles the Worker that migrates a database. */
export async function makeMigrator(bundle: string): Promise<void> {
  await bundleWorker(path.join(ROOT, 'scripts/local/build/migrate-worker.ts'), bundle)
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort()
  return await Promise.all(
    names.map(async (name) => ({
      name,
      statements: splitSqlQuery(await readFile(path.join(MIGRATIONS, name), 'utf8')),
    })),
  )
}
