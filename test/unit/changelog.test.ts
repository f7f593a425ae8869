import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const GROUPS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']

const text = readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8')
const [, ...sections] = text.split(/^(?=## )/m)
const headings = sections.map((section) => section.split('\n')[0] ?? '')
const versions = headings.map((heading) => /^## \[(\d+\.\d+\.\d+)\]/.exec(heading)?.[1] ?? heading)

describe('the changelog', () => {
  test('begins with the version of the package, which alone may be unreleased', () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string
    }
    expect(versions[0]).toBe(version)
    expect(headings[0]).toMatch(/ - (unreleased|\d{4}-\d\d-\d\d)$/)
    for (const heading of headings.slice(1)) expect(heading).toMatch(/ - \d{4}-\d\d-\d\d$/)
  })

  test('has each version once, the newest first', () => {
    const sorted = [...new Set(versions)].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    expect(versions).toEqual(sorted)
  })

  test.each(sections.map((section, i) => [versions[i], section] as const))(
    'groups what %s has by kind, a line each',
    (_, section) => {
      const [, ...groups] = section.split(/^### /m)
      const names = groups.map((group) => group.split('\n')[0] ?? '')
      expect(names).toEqual(GROUPS.filter((name) => names.includes(name)))
      for (const group of groups) {
        const lines = group
          .split('\n')
          .slice(1)
          .filter((line) => line !== '')
        expect(lines.length).toBeGreaterThan(0)
        expect(lines.filter((line) => !/^- \S.*[.)`]$/.test(line))).toEqual([])
        expect(new Set(lines).size).toBe(lines.length)
      }
    },
  )
})
