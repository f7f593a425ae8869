import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAst } from 'vite'
import { describe, expect, test } from 'vitest'
import { findTexts } from '../../../scripts/texts/find-texts.ts'
import { allTexts, markedSource } from '../../../scripts/texts/mark-texts.ts'

const SOURCES = path.resolve(import.meta.dirname, '../../../apps/dashboard/src')

function marked(source: string, file = 'src/pages/x/page.tsx'): string {
  return markedSource(source, findTexts(source, file))
}

describe('a text is looked up', () => {
  test('in an element, whatever lines it stands on, and blanks around it stay', () => {
    expect(marked('<p>Accepted <b>Now</b></p>')).toBe(
      '<p>{__text("Accepted")}{" "}<b>{__text("Now")}</b></p>',
    )
    expect(marked('<p>\n  Two\n  lines\n</p>')).toBe('<p>{__text("Two lines")}</p>')
    expect(marked("<p>{' '} · {count}</p>")).toBe("<p>{' '} · {count}</p>")
  })

  test('in properties that people read, and in no others', () => {
    expect(marked('<A title="Hi" className="flex gap-2" name="url" />')).toBe(
      '<A title={__text("Hi")} className="flex gap-2" name="url" />',
    )
    expect(marked("const x = { label: 'All', value: 'all' }")).toBe(
      'const x = { label: __text("All"), value: \'all\' }',
    )
  })

  test('where one of several is chosen, and in the values of another', () => {
    expect(marked("<p>{is ? 'Yes' : 'No'}</p>")).toBe('<p>{is ? __text("Yes") : __text("No")}</p>')
    expect(marked(`const x = { label: \`Held\${at ? \` until \${at}\` : ''}.\` }`)).toBe(
      'const x = { label: __text("Held{0}.", [at ? __text(" until {0}", [at]) : \'\']) }',
    )
  })

  test('in what functions of words answer, and in sentences of others', () => {
    const source = "function say() { return 'just now' }\nfunction tell() { return 'There is none' }"
    expect(marked(source, 'src/words/time.ts')).toContain('return __text("just now")')
    expect(marked(source)).toBe(
      'function say() { return \'just now\' }\nfunction tell() { return __text("There is none") }',
    )
  })
})

test('every source of the dashboard is one still with its texts looked up', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  )
  for (const name of files) {
    const lang = name.endsWith('x') ? 'tsx' : 'ts'
    const source = marked(readFileSync(path.join(SOURCES, name), 'utf8'), path.join(SOURCES, name))
    expect(() => parseAst(source, { lang }), name).not.toThrow()
  }
})

test('the list of texts has what the portal shows', () => {
  const texts = allTexts()
  expect(texts).toEqual(
    expect.arrayContaining(['Overview', 'Traffic', 'Retry now', '{0} ago', 'subscription', 'Waiting']),
  )
  expect(texts.filter((text) => /\bflex\b|\bp[xy]-\d/.test(text))).toEqual([])
})
