import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Folders whose files are named by their path from the root. */
const ROOTED = /^(?:src|test|docs|migrations|scripts|bench|packages|examples)\//
/** A name in backticks that is meant as a file of the repository's code. */
const CODE_FILE = /^[\w*{][\w./{},*-]*\.(?:ts|mjs|sql)$/

const files = filesBelow(ROOT).map((file) => path.relative(ROOT, file))
const folders = new Set(files.flatMap(foldersOf))
const pages = files.filter((file) =>
  /^(?:README|CHANGELOG|SECURITY|(?:docs|src|bench|packages)\/.*)\.md$/.test(file),
)

describe.each(pages)('%s', (page) => {
  const text = readFileSync(path.join(ROOT, page), 'utf8')
  const prose = text.replace(/^```.*?^```$/gms, '')

  test('names only files that exist, each by a path that leads to it', () => {
    const named = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => isPath(name) && !resolves(page, name))).toEqual([])
  })

  test('links only to pages and headings that exist', () => {
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const relative = links.filter((target) => !/^[a-z]+:/.test(target))
    expect(relative.filter((target) => !leadsSomewhere(page, target))).toEqual([])
  })
})

test('each folder at the top of src has a page of its own', () => {
  const tops = [...folders].filter((folder) => /^src\/[^/]+$/.test(folder))
  expect(tops.filter((folder) => !files.includes(`${folder}/README.md`))).toEqual([])
})

function isPath(name: string): boolean {
  return ROOTED.test(name) ? !/[\s<>…]/.test(name) : CODE_FILE.test(name)
}

/** Pages inside src name files from their own folder or from src, all other pages from the root. */
function resolves(page: string, name: string): boolean {
  const bases = page.startsWith('src/') ? [path.dirname(page), 'src', ''] : ['']
  return bases.some((base) => exists(path.normalize(path.join(base, name))))
}

/** A pattern with `*` or `{a,b}` must match a file with each of its alternatives. */
function exists(name: string): boolean {
  const alternatives = /\{([^}]*)\}/.exec(name)
  if (alternatives !== null) {
    const [whole, list = ''] = alternatives
    return list.split(',').every((one) => exists(name.replace(whole, one)))
  }
  if (!name.includes('*')) return files.includes(name) || folders.has(name.replace(/\/$/, ''))
  const anywhere = name.includes('/') ? name : `**/${name}`
  const escaped = anywhere.replace(/[.+?^$()|[\]\\]/g, '\\$&')
  const pattern = escaped.replaceAll('**/', '(?:.+/)?').replaceAll('*', '[^/]*')
  const matches = new RegExp(`^${pattern}$`)
  return [...files, ...folders].some((one) => matches.test(one))
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const found = file === '' ? page : path.join(path.dirname(page), file)
  if (!exists(path.normalize(found))) return false
  return anchor === undefined || anchorsOf(found).has(anchor)
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(path.join(ROOT, page), 'utf8').replace(/^```.*?^```$/gms, '')
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inside = path.join(folder, entry.name)
    if (!entry.isDirectory()) return [inside]
    return /^(?:node_modules|dist|\.(?!ci$).*)$/.test(entry.name) ? [] : filesBelow(inside)
  })
}

function foldersOf(file: string): string[] {
  const folder = path.dirname(file)
  return folder === '.' ? [] : [folder, ...foldersOf(folder)]
}
