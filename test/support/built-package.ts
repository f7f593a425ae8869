/// <reference types="node" />
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import path from 'node:path'
import { keep } from '../../scripts/local/build/keep.ts'
import { keyOfSources } from '../../scripts/local/build/sources-key.ts'

export const ROOT = path.resolve(import.meta.dirname, '../..')
const PACKAGE = path.join(ROOT, 'packages/client')

/** Whatever changes the package; the types of its calls are those of the routes. */
const SOURCES = ['src', 'packages/client/src', 'scripts/build', 'package-lock.json']
const OWN_FILES = ['package.json', 'README.md', 'LICENSE']

/** Makes the package as `npm ci` leaves it, in a new folder: the repository's may be in use. */
export function buildPackage(folder: string): void {
  for (const name of OWN_FILES) cpSync(path.join(PACKAGE, name), path.join(folder, name))
  for (const name of ['openapi.ts', 'client.ts']) {
    execFileSync(process.execPath, [path.join(ROOT, 'scripts/build', name), folder])
  }
}

/** Puts the package into a folder as it was built for another test of the same sources. */
export async function installPackage(folder: string): Promise<void> {
  const kept = path.join(ROOT, 'node_modules/.cache/posthorn/packages')
  const own = OWN_FILES.map((name) => path.join('packages/client', name))
  const built = await keep(
    { kept, ownFolder: folder },
    keyOfSources(ROOT, [...SOURCES, ...own]),
    async (draft) => buildPackage(draft),
  )
  if (built !== folder) cpSync(built, folder, { recursive: true })
}
