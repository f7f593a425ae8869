import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

/** A key of the contents of files and folders; it is another one in another place, as a build may name its own. */
export function keyOfSources(root: string, sources: readonly string[]): string {
  const hash = createHash('sha256').update(root)
  for (const name of sources.flatMap((source) => filesOf(root, source))) {
    const content = readFileSync(path.join(root, name))
    hash.update(`\0${name}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 32)
}

/** The files of a folder in the order of their names, or the file itself. */
function filesOf(root: string, source: string): string[] {
  const at = path.join(root, source)
  if (statSync(at).isFile()) return [source]
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
}
