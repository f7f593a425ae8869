import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'vite'
import { ROOT } from '../local/root.ts'
import { type FoundText, findTexts } from './find-texts.ts'

const SOURCES = path.join(ROOT, 'apps/dashboard/src')
/** Looks texts up when the pages run. It has none itself. */
const RUNTIME = path.join(SOURCES, 'words/texts.ts')

/** Has every text of the dashboard looked up in the file of the operator's, while its sources stay plain English. */
export function markTexts(): Plugin {
  return {
    name: 'posthorn-texts',
    enforce: 'pre',
    transform(code, id) {
      if (!isSource(id)) return null
      const texts = findTexts(code, id)
      if (texts.length === 0) return null
      return `import { text as __text } from ${JSON.stringify(RUNTIME)}\n${markedSource(code, texts)}`
    },
  }
}

/** All texts of the dashboard, sorted, each once. */
export function allTexts(): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).map((name) =>
    path.join(SOURCES, name),
  )
  const texts = files
    .filter(isSource)
    .flatMap((file) => findTexts(readFileSync(file, 'utf8'), file).map(({ english }) => english))
  return [...new Set(texts)].sort()
}

function isSource(file: string): boolean {
  return file.startsWith(SOURCES) && /\.tsx?$/.test(file) && file !== RUNTIME
}

/** A source in which each text is a call. A text may hold others, in its values. */
export function markedSource(source: string, texts: readonly FoundText[]): string {
  const sorted = texts.toSorted((one, other) => one.start - other.start || other.end - one.end)
  return rewritten(source, { start: 0, end: source.length }, sorted)
}

type Range = { start: number; end: number }

function rewritten(source: string, { start, end }: Range, texts: readonly FoundText[]): string {
  let written = ''
  let at = start
  for (const found of texts) {
    if (found.start < at || found.end > end) continue
    written += source.slice(at, found.start) + callOf(source, found, texts)
    at = found.end
  }
  return written + source.slice(at, end)
}

function callOf(source: string, found: FoundText, texts: readonly FoundText[]): string {
  const others = texts.filter((each) => each !== found)
  const values = found.values.map((value) => rewritten(source, value, others))
  const call = `__text(${[JSON.stringify(found.english), ...(values.length > 0 ? [`[${values.join(', ')}]`] : [])].join(', ')})`
  switch (found.place) {
    case 'expression':
      return call
    case 'attribute':
      return `{${call}}`
    case 'children': {
      // What stands around a text is not a part of it.
      const [before, after] = found.around
      return `${before ? '{" "}' : ''}{${call}}${after ? '{" "}' : ''}`
    }
  }
}
