import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const page = readFileSync(path.join(ROOT, 'SECURITY.md'), 'utf8')

/** The rows of the table of what is defended: the attack, and the tests that hold the defence. */
const claims = sectionOf('What is defended')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line): [string, string[]] => {
    const [attack = '', , heldBy = ''] = line.slice(2).split(' | ')
    return [attack, [...heldBy.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)]
  })

function sectionOf(heading: string): string {
  const [, after = ''] = page.split(`\n## ${heading}\n`)
  return after.split('\n## ')[0] ?? ''
}

/** True for a file of tests, or a folder that has some. */
function isOfTests(name: string): boolean {
  const file = path.join(ROOT, name)
  if (!name.startsWith('test/') || !existsSync(file)) return false
  if (!statSync(file).isDirectory()) return name.endsWith('.test.ts')
  return readdirSync(file).some((inside) => inside.endsWith('.test.ts'))
}

test('the page says what is protected, from whom, what is defended and what is not, and how to report', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual([
    'Reporting',
    'What is protected',
    'From whom',
    'Boundaries',
    'What is defended',
    'What is not',
  ])
  expect(claims.length).toBeGreaterThan(15)
})

describe('each defence is held by tests that exist', () => {
  test.each(claims)('%s', (_, tests) => {
    expect(tests.length).toBeGreaterThan(0)
    expect(tests.filter((name) => !isOfTests(name))).toEqual([])
  })
})
