import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { ROOT } from '../root.ts'
import { keep } from './keep.ts'
import type { Build } from './make-build.ts'
import { keyOfSources } from './sources-key.ts'

const BUILD_FILE = 'build.json'
const BUNDLE_FILE = 'index.js'
const MIGRATE_FILE = 'migrate.js'

const KEPT = path.join(ROOT, 'node_modules/.cache/posthorn/builds')
/** Whatever changes a build. */
const SOURCES = ['src', 'migrations', 'scripts/local/build', 'wrangler.toml', 'package-lock.json']
const SETTINGS = ['tsconfig.json', 'tsconfig.base.json']

/** A build, and the folder where it lies. */
export type PlacedBuild = Build & { folder: string }

/**
 * Reads the build that an earlier start has made of the same sources, or makes it: loading wrangler and bundling take
 * longer than all else of a start. `ownFolder` gets it where packages cannot be written to.
 */
export async function readBuild(ownFolder: string): Promise<PlacedBuild> {
  const key = keyOfSources(ROOT, [...SOURCES, ...SETTINGS])
  const folder = await keep({ kept: KEPT, ownFolder }, key, async (draft) => {
    const { makeBuild, makeMigrator } = await import('./make-build.ts')
    const build = await makeBuild(path.join(draft, BUNDLE_FILE))
    await makeMigrator(path.join(draft, MIGRATE_FILE))
    writeFileSync(path.join(draft, BUILD_FILE), JSON.stringify(build))
  })
  return { ...(JSON.parse(readFileSync(path.join(folder, BUILD_FILE), 'utf8')) as Build), folder }
}

/** Names of the migrations, in their order. */
export function namesOf({ migrations }: Build): string[] {
  return migrations.map(({ name }) => name)
}

/** The Worker of a build with its variables. Its code is read now: a start of later sources may clear the folder away. */
export function workerOptions(build: PlacedBuild, bindings: Record<string, string>): V4WorkerOptions {
  return {
    ...build.worker,
    rootPath: ROOT,
    ...modulesOf(build, BUNDLE_FILE),
    bindings: { ...(build.worker.bindings as V4WorkerOptions['bindings']), ...bindings },
  }
}

/** A Worker that migrates the database of a build's. */
export function migrationOptions(build: PlacedBuild): V4WorkerOptions {
  const { d1Databases = {} } = build.worker
  return { name: 'migrations', ...modulesOf(build, MIGRATE_FILE), d1Databases }
}

function modulesOf({ folder }: PlacedBuild, file: string) {
  const bundle = path.join(folder, file)
  const contents = readFileSync(bundle, 'utf8')
  return { modulesRoot: folder, modules: [{ type: 'ESModule' as const, path: bundle, contents }] }
}
