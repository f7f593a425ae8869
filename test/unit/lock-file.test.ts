import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

type Entry = { version?: string; integrity?: string; link?: boolean; inBundle?: boolean }

const LOCK = path.resolve(import.meta.dirname, '../../package-lock.json')

const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, Entry> }
/**
 * Packages that are installed on any system: neither the workspaces themselves nor the links to them. One that comes
 * within another has no hash of its own: it is in that of the other.
 */
const installed = Object.entries(packages).filter(
  ([at, { link, inBundle }]) => at.includes('node_modules/') && !link && !inBundle,
)

test('every package that is installed on any system is locked with a hash of its content', () => {
  expect(installed.length).toBeGreaterThan(100)
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([])
})
