import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { DASHBOARD_DIST } from '../local/assets.ts'

type Chunk = { file: string; css?: string[]; imports?: string[]; dynamicImports?: string[] }
type Manifest = Record<string, Chunk>

const ENTRY = 'index.html'
const PAGE = /^src\/pages\/.*\/page\.tsx$/

/** A page of the dashboard, and the bytes (gzip) that a browser loads which opens it first. */
export type FirstLoad = { page: string; bytes: number }

/** The page whose first load is the largest: the document, all that every page needs, and its own code. */
export function largestFirstLoad(): FirstLoad {
  const manifest = JSON.parse(read('.vite/manifest.json')) as Manifest
  const pages = (manifest[ENTRY]?.dynamicImports ?? []).filter((name) => PAGE.test(name))
  const loads = pages.map((page) => ({ page, bytes: bytesOf(manifest, [ENTRY, page]) }))
  const [largest] = loads.toSorted((one, other) => other.bytes - one.bytes)
  if (largest === undefined) throw new Error('The dashboard has no pages.')
  return largest
}

function bytesOf(manifest: Manifest, names: readonly string[]): number {
  const files = new Set([ENTRY])
  // A Set takes up what is added to it while it is walked.
  const chunks = new Set(names)
  for (const name of chunks) {
    const { file, css = [], imports = [] } = manifest[name] ?? { file: name }
    for (const each of [file, ...css]) files.add(each)
    for (const each of imports) chunks.add(each)
  }
  return [...files].reduce((sum, file) => sum + gzipSync(read(file)).length, 0)
}

function read(file: string): string {
  return readFileSync(path.join(DASHBOARD_DIST, file), 'utf8')
}
