import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { ROOT } from '../root.ts'
import { keep } from './keep.ts'
import type { Build } from './make-build.ts'
import { keyOfSources } from './sources-key.ts'

const BUILD_FILE = 'build.json'
const BUNDLE_FILE = 'index.js'

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
    const { makeBuild } = await import('./make-build.ts')
    const build = await makeBuild(path.join(draft, BUNDLE_FILE))
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
  const bundle = path.join(build.folder, BUNDLE_FILE)
  return {
    ...build.worker,
    rootPath: ROOT,
    modulesRoot: build.folder,
    modules: [{ type: 'ESModule', path: bundle, contents: readFileSync(bundle, 'utf8') }],
    bindings: { ...(build.worker.bindings as V4WorkerOptions['bindings']), ...bindings },
  }
}
