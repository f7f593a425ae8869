/// <reference types="node" />
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.resolve(import.meta.dirname, '../..')
const PACKAGE = path.join(ROOT, 'packages/client')

/** Makes the package as `npm ci` leaves it, in a new folder: the repository's may be in use. */
export function buildPackage(folder: string): void {
  for (const name of ['package.json', 'README.md', 'LICENSE']) {
    cpSync(path.join(PACKAGE, name), path.join(folder, name))
  }
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/build/verify.ts'), folder])
}
