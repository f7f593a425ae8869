import { expect, test } from 'vitest'
import {
  changesSettings,
  storedWorkspaceSettingsSchema,
  workspaceSettingsSchema,
} from '../../../src/domain/workspace-settings.ts'

const DEFAULTS = { eventTypeEnforcement: 'off', apiVersion: 'v1', livemode: true }

test('what was never set is the default of seed 002', () => {
  expect(storedWorkspaceSettingsSchema.parse({})).toEqual(DEFAULTS)
  expect(storedWorkspaceSettingsSchema.parse({ livemode: false, later: 1 })).toEqual({
    ...DEFAULTS,
    livemode: false,
  })
})

test.each([
  [{ eventTypeEnforcement: 'on' }, 'eventTypeEnforcement', 'must be "off", "warn" or "reject"'],
  [{ apiVersion: '' }, 'apiVersion', 'must be 1-64 characters'],
  [{ apiVersion: 'v'.repeat(65) }, 'apiVersion', 'must be 1-64 characters'],
  [{ apiVersion: 'v\ud800' }, 'apiVersion', 'must be well-formed Unicode'],
])('%j is refused by name', (settings, path, message) => {
  const issues = workspaceSettingsSchema.safeParse(settings).error?.issues
  expect(issues?.map((issue) => ({ path: issue.path, message: issue.message }))).toEqual([
    { path: [path], message },
  ])
})

test('only a setting that is named and differs is a change', () => {
  const settings = storedWorkspaceSettingsSchema.parse({})
  for (const same of [{}, { livemode: true }, { apiVersion: 'v1', eventTypeEnforcement: 'off' as const }]) {
    expect(changesSettings(settings, same)).toBe(false)
  }
  for (const other of [
    { livemode: false },
    { apiVersion: 'v2' },
    { eventTypeEnforcement: 'warn' as const },
  ]) {
    expect(changesSettings(settings, other)).toBe(true)
  }
})
