import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// The secrets come from testBindings; wrangler would warn that the shell has none.
process.env.WRANGLER_LOG ??= 'error'

// wrangler.toml names the folder, which a test of the Worker needs nothing of.
mkdirSync(path.join(import.meta.dirname, 'apps/dashboard/dist'), { recursive: true })

const migrations = await readD1Migrations(path.join(import.meta.dirname, 'migrations'))

/** What `npm start` and the operator's secrets provide elsewhere. */
const testBindings = {
  ADMIN_KEY: 'test_admin_key',
  KEY_ENCRYPTION_KEY: btoa('posthorn-test-key-encryption-key'),
  ALLOW_PRIVATE_DESTINATIONS: 'true',
  LOG_SAMPLE: 'off',
  TEST_MIGRATIONS: migrations,
}

const workerd = cloudflareTest({
  wrangler: { configPath: './wrangler.toml' },
  miniflare: {
    bindings: testBindings,
    // A database that no migration has touched: its test brings it from version to version.
    d1Databases: { EARLIER_DB: 'posthorn-earlier' },
    // Alarms ring in real time; a real consumer would act on them beside tests that move their clocks by hand.
    queueProducers: { PACED: { queueName: 'posthorn-paced-unconsumed' } },
  },
})

/** What all projects share. A time-out ends what hangs; no test measures time by it, on however busy a machine. */
const everywhere = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  provide: { isFullCount: process.env['FULL_COUNT'] === '1' },
}

/** A runtime serves file after file: starting one, and loading the Worker into it, takes longer than most files do. */
const sharedRuntime = {
  setupFiles: ['./test/support/rig/fresh-file.ts'],
  isolate: false,
  // With a third one each takes so much longer that waits of some seconds are not long enough.
  maxWorkers: 2,
}

/** Tests that start programs of Node: each program is compiled once for all of them, and so are the tests themselves. */
const manyPrograms = {
  environment: 'node',
  isolate: false,
  env: { NODE_COMPILE_CACHE: path.join(import.meta.dirname, 'node_modules/.cache/posthorn/compiled') },
} as const

const REAL_TIME = 'test/workerd/**/real-time/**/*.test.ts'
/** Whole relays whose answers are timed: one file after the other, so that none takes another one's processor. */
const TIMED = 'test/process/timed/**/*.test.ts'

// The groups run one after the other. Those that measure time come last, and alone.
export default defineConfig({
  test: {
    passWithNoTests: true,
    // The relay logs a line per unit of work; only a failing test's lines are worth reading.
    silent: 'passed-only',
    reporters: ['default', './test/support/totals-reporter.ts'],
    projects: [
      {
        test: {
          ...everywhere,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [workerd],
        test: {
          ...everywhere,
          ...sharedRuntime,
          name: 'workerd',
          include: ['test/{workerd,flow,regressions}/**/*.test.ts'],
          exclude: [REAL_TIME],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...everywhere,
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          ...manyPrograms,
          exclude: [TIMED],
          globalSetup: ['./test/support/process/shared-relay.setup.ts'],
          // Relays start and wait by turns: with fewer, the processors would stand still.
          maxWorkers: 4,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...everywhere,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          ...manyPrograms,
          // One relay and one browser for all files, which take turns.
          globalSetup: ['test/browser/support/global-setup.ts'],
          fileParallelism: false,
          isolate: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        plugins: [workerd],
        test: {
          ...everywhere,
          ...sharedRuntime,
          name: 'real-time',
          include: [REAL_TIME],
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          ...everywhere,
          name: 'timed',
          ...manyPrograms,
          include: [TIMED],
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
})
