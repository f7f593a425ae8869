import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { deployConfig } from '../../../scripts/deploy/config-text.ts'
import { PendingSecrets } from '../../../scripts/deploy/pending-secrets.ts'

const TOML = readFileSync(path.resolve(import.meta.dirname, '../../../wrangler.toml'), 'utf8')
const ID = '0c6d4d4e-0000-4000-8000-000000000001'

/** The names in a configuration: of the Worker, the database, the bucket, the queues. */
const namesIn = (toml: string) =>
  [...toml.matchAll(/^(?:name|database_name|bucket_name|queue|dead_letter_queue) = "([a-z-]+)"$/gm)].map(
    ([, name = '']) => name,
  )

test('a deploy under its own name differs from wrangler.toml in the id alone, and keeps variables', () => {
  const lines = deployConfig(TOML, { name: 'posthorn', domain: null }, ID).split('\n')
  const own = TOML.split('\n')
  expect(lines.filter((line) => !own.includes(line))).toEqual(['keep_vars = true', `database_id = "${ID}"`])
})

test('a deploy under another name shares nothing with the first', () => {
  const toml = deployConfig(TOML, { name: 'posthorn-staging', domain: null }, ID)
  const names = namesIn(toml)
  expect(names.length).toBe(namesIn(TOML).length)
  expect(names.filter((name) => !/^posthorn-staging(-|$)/.test(name))).toEqual([])
  const namespace = (text: string) => /^namespace_id = "(\d+)"$/m.exec(text)?.[1]
  expect(namespace(toml)).toMatch(/^\d+$/)
  expect(namespace(toml)).not.toBe(namespace(TOML))
})

test('a domain of its own is a route, and no subscription may point at it', () => {
  const toml = deployConfig(TOML, { name: 'posthorn', domain: 'hooks.example.com' }, ID)
  expect(toml).toContain('routes = [{ pattern = "hooks.example.com", custom_domain = true }]')
  expect(toml).toMatch(/\n\[vars\]\nOWN_HOSTNAMES = "hooks\.example\.com"\n$/)
  // Before the first table, or it would be a part of that.
  expect(toml.indexOf('routes =')).toBeLessThan(toml.search(/^\[/m))
})

test('secrets are made once, for this user alone, or taken from the shell', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-pending-'))
  try {
    const secrets = new PendingSecrets('account', 'posthorn', folder)
    secrets.make(['ADMIN_KEY', 'KEY_ENCRYPTION_KEY'], { ADMIN_KEY: 'a-key-of-the-shell' })
    const made = secrets.values
    expect(made['ADMIN_KEY']).toBe('a-key-of-the-shell')
    expect(atob(made['KEY_ENCRYPTION_KEY'] ?? '')).toHaveLength(32)
    expect(statSync(secrets.file).mode & 0o077).toBe(0)
    secrets.make(['ADMIN_KEY', 'KEY_ENCRYPTION_KEY'], {})
    expect(secrets.values).toEqual(made)
    secrets.forget()
    expect(secrets.values).toEqual({})
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
