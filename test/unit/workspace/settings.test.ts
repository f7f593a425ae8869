import { expect, test } from 'vitest'
import { NO_LIMITS } from '../../../src/limits/limits.ts'
import {
  changesSettings,
  storedWorkspaceSettingsSchema,
  workspaceSettingsSchema,
} from '../../../src/workspace/settings.ts'

const API_VERSION = 'must be 1-64 characters without control characters, such as "v1" or "2026-11-01"'

const DEFAULTS = {
  ...{ eventTypeEnforcement: 'off', apiVersion: 'v1', livemode: true },
  ...{ retentionDays: 90, retentionBytes: null, archive: false },
  ...{ allowedHosts: null, deniedHosts: [], allowHttp: false, allowedPorts: [] },
  ...{ verifyOwnership: false, allowedCertificates: null },
  limits: NO_LIMITS,
}
const DAYS = 'must be a whole number of days, 1-3650'
const BYTES = 'must be a whole number of bytes, at least 1000000, or null for no limit'

test('what was never set is the default: of seed 002, and 90 days of seed 004', () => {
  expect(storedWorkspaceSettingsSchema.parse({})).toEqual(DEFAULTS)
  expect(storedWorkspaceSettingsSchema.parse({ livemode: false, later: 1 })).toEqual({
    ...DEFAULTS,
    livemode: false,
  })
})

test.each([
  [{ eventTypeEnforcement: 'on' }, 'eventTypeEnforcement', 'must be "off", "warn" or "reject"'],
  [{ apiVersion: '' }, 'apiVersion', API_VERSION],
  [{ apiVersion: 'v'.repeat(65) }, 'apiVersion', API_VERSION],
  [{ apiVersion: 'v\ud800' }, 'apiVersion', API_VERSION],
  [{ retentionDays: 0 }, 'retentionDays', DAYS],
  [{ retentionDays: 3651 }, 'retentionDays', DAYS],
  [{ retentionDays: 1.5 }, 'retentionDays', DAYS],
  [{ retentionDays: '90' }, 'retentionDays', DAYS],
  [{ retentionBytes: 999_999 }, 'retentionBytes', BYTES],
  [{ retentionBytes: 1_000_000.5 }, 'retentionBytes', BYTES],
])('%j is refused by name', (settings, path, message) => {
  const issues = workspaceSettingsSchema.safeParse(settings).error?.issues
  expect(issues?.map((issue) => ({ path: issue.path, message: issue.message }))).toEqual([
    { path: [path], message },
  ])
})

test('the bounds of the retention are taken, and null lifts the limit of size', () => {
  for (const settings of [
    { retentionDays: 1, retentionBytes: 1_000_000, archive: true },
    { retentionDays: 3650, retentionBytes: null },
  ]) {
    expect(workspaceSettingsSchema.parse(settings)).toEqual(settings)
  }
})

test('only a setting that is named and differs is a change', () => {
  const settings = storedWorkspaceSettingsSchema.parse({})
  for (const same of [
    {},
    { livemode: true },
    { retentionBytes: null, retentionDays: 90 },
    { apiVersion: 'v1', eventTypeEnforcement: 'off' as const },
  ]) {
    expect(changesSettings(settings, same)).toBe(false)
  }
  for (const other of [
    { livemode: false },
    { apiVersion: 'v2' },
    { retentionDays: 30 },
    { retentionBytes: 5_000_000 },
    { archive: true },
    { eventTypeEnforcement: 'warn' as const },
  ]) {
    expect(changesSettings(settings, other)).toBe(true)
  }
})
