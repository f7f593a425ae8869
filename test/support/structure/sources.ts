import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A file of a source folder; `name` is its path from there. */
export type Source = { name: string; text: string; imports: Import[] }

/** `target` is a path from the source folder, or a package. `isType` where only types are taken. */
export type Import = { target: string; isType: boolean }

const ROOT = path.resolve(import.meta.dirname, '../../..')

/** The text of a file, named by its path from the repository's root. */
export function textOf(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8')
}

/** Every TypeScript file below a folder of the repository. */
export function sourcesIn(folder: string): Source[] {
  return foldersIn(folder).flatMap(({ name, files }) =>
    files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => {
        const text = textOf(path.join(folder, name, file))
        return { name: path.join(name, file), text, imports: importsOf(text, name) }
      }),
  )
}

/** Every folder below one of the repository, itself included, with its files; none where there is no such folder. */
export function foldersIn(folder: string): { name: string; files: string[] }[] {
  const entries = readdirSync(path.join(ROOT, folder), { withFileTypes: true, recursive: true })
  const folders = new Map<string, string[]>([['', []]])
  for (const entry of entries) {
    const parent = path.relative(path.join(ROOT, folder), entry.parentPath)
    if (entry.isDirectory()) folders.set(path.join(parent, entry.name), [])
  }
  for (const entry of entries) {
    const parent = path.relative(path.join(ROOT, folder), entry.parentPath)
    if (entry.isFile()) folders.get(parent)?.push(entry.name)
  }
  return [...folders].map(([name, files]) => ({ name, files }))
}

/** The `src` folders of the packages below a folder, which need not be there. */
export function packageSources(folder: string): string[] {
  const packages = entriesOf(folder).map((name) => path.join(folder, name))
  return packages.filter((name) => entriesOf(name).includes('src')).map((name) => path.join(name, 'src'))
}

/** A file's text without its comments. */
export function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

function entriesOf(folder: string): string[] {
  const parent = path.join(ROOT, path.dirname(folder))
  const isThere = readdirSync(parent, { withFileTypes: true }).some(
    (entry) => entry.isDirectory() && entry.name === path.basename(folder),
  )
  return isThere ? readdirSync(path.join(ROOT, folder)) : []
}

const STATIC =
  /^(?:import|export) (type )?(?:(\{[^}]*\}|\*(?: as \w+)?|\w+(?:, \{[^}]*\})?) from )?'([^']+)'/gm
const DYNAMIC = /\bimport\('([^']+)'\)/g

function importsOf(text: string, folder: string): Import[] {
  const targetOf = (specifier: string) =>
    specifier.startsWith('.') ? path.join(folder, specifier) : specifier
  const found = [...text.matchAll(STATIC)].map(([, type, names = '', specifier = '']) => ({
    target: targetOf(specifier),
    isType: type !== undefined || takesTypesOnly(names),
  }))
  const loaded = [...text.matchAll(DYNAMIC)].map(([, specifier = '']) => ({
    target: targetOf(specifier),
    isType: false,
  }))
  return [...found, ...loaded]
}

function takesTypesOnly(names: string): boolean {
  if (!names.startsWith('{')) return false
  const members = names.slice(1, -1).split(',')
  return members.map((member) => member.trim()).every((member) => member === '' || member.startsWith('type '))
}
