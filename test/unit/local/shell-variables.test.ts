import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { GIVEN_BY_NAME, KEPT_WITH_STATE, varsFromShell } from '../../../scripts/local/shell-variables.ts'
import { readSettings, VARIABLE_NAMES } from '../../../src/env.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')

/** A value of each variable that `npm start` passes on; a new one has to be put here. */
const VALUES: Record<string, string> = {
  ADMIN_KEY_PREVIOUS: 'the-admin-key-before',
  ALLOW_PRIVATE_DESTINATIONS: 'false',
  OWN_HOSTNAMES: 'relay.example.com',
  CORS_ORIGINS: 'https://app.example.com',
  PORTAL_FRAME_ANCESTORS: 'https://app.example.com',
  PORTAL_LOGO_ORIGINS: 'https://cdn.example.com',
  PORTAL_ORIGIN: 'https://hooks.example.com',
  MAX_DATABASE_BYTES: '2000000',
  DNS_OVER_HTTPS_URL: 'https://dns.example.com/resolve',
  JWT_ISSUER: 'https://id.example.com',
  JWT_AUDIENCE: 'posthorn',
  JWT_JWKS_URL: 'https://id.example.com/jwks',
  JWT_WORKSPACE_CLAIM: 'tenant',
  JWT_SCOPE_CLAIM: 'roles',
  LOG_SAMPLE: '0.5',
  LOG_LINES_PER_SECOND: '50',
}

test('every setting can be given to `npm start`, but for the keys that are kept with the state', () => {
  expect(varsFromShell(VALUES)).toEqual(VALUES)
  const all = [...Object.keys(VALUES), ...KEPT_WITH_STATE, ...GIVEN_BY_NAME]
  expect(all.sort()).toEqual([...VARIABLE_NAMES].sort())
  const start = readFileSync(path.join(ROOT, 'scripts/tasks/start.ts'), 'utf8')
  for (const name of GIVEN_BY_NAME) expect(start).toContain(name)
})

test('what is given is what the Worker reads', () => {
  const keys = { ADMIN_KEY: 'the-admin-key', KEY_ENCRYPTION_KEY: btoa('0123456789abcdef0123456789abcdef') }
  expect(readSettings({ ...keys, ...varsFromShell(VALUES) })).toMatchObject({
    ok: true,
    settings: {
      previousAdminKey: 'the-admin-key-before',
      identity: { issuer: 'https://id.example.com', workspaceClaim: 'tenant', scopeClaim: 'roles' },
      corsOrigins: ['https://app.example.com'],
      maxDatabaseBytes: 2_000_000,
    },
  })
})

test('an empty variable is unset, and others of the shell are none of the Worker', () => {
  expect(varsFromShell({ JWT_ISSUER: '', HOME: '/home/me', KEY_ENCRYPTION_KEY: 'of another' })).toEqual({})
})

test('every setting is in the guide for operators', () => {
  const guide = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8')
  for (const name of VARIABLE_NAMES) expect(guide).toContain(`| \`${name}\` |`)
})
