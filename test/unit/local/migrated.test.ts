import { expect, test } from 'vitest'
import { describeMigrations, migratedOf } from '../../../scripts/local/migrations/migrated.ts'

const NAMES = ['0001_initial.sql', '0002_routing.sql', '0003_engine.sql']

test.each([
  ['an old state', NAMES.slice(1), ', migrated from 0001_initial to 0003_engine (2 migrations)'],
  ['the version before', NAMES.slice(2), ', migrated from 0002_routing to 0003_engine (1 migration)'],
  ['a new state', NAMES, ', new'],
  ['one that is up to date', [], ''],
])('a start says what it has migrated of %s', (_, migrated, expected) => {
  expect(describeMigrations(migratedOf(NAMES, migrated))).toBe(expected)
})
