import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { NEWEST_MIGRATION } from '../../../src/operate/readiness.sql.ts'

test('the code asks for the newest migration there is', () => {
  const files = readdirSync(path.join(import.meta.dirname, '../../../migrations')).sort()
  expect(files.at(-1)).toBe(NEWEST_MIGRATION)
})
