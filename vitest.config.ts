import path from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// The secrets come from testBindings; wrangler would warn that the shell has none.
process.env.WRANGLER_LOG ??= 'error'

const migrations = await readD1Migrations(path.join(import.meta.dirname, 'migrations'))

/** What `npm start` and the operator's secrets provide elsewhere. */
const testBindings = {
  ADMIN_KEY: 'test_admin_key',
  KEY_ENCRYPTION_KEY: btoa('posthorn-test-key-encryption-key'),
  ALLOW_PRIVATE_DESTINATIONS: 'true',
  LOG_SAMPLE: 'off',
  TEST_MIGRATIONS: migrations,
}

export default defineConfig({
  test: {
    passWithNoTests: true,
    // The relay logs a line per unit of work; only a failing test's lines are worth reading.
    silent: 'passed-only',
    reporters: ['default', './test/support/totals-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: testBindings,
              // Alarms ring in real time; a real consumer would act on them beside tests that move their clocks by hand.
              queueProducers: { PACED: { queueName: 'posthorn-paced-unconsumed' } },
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/{workerd,flow,regressions}/**/*.test.ts'],
          setupFiles: ['./test/support/rig/migrate.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          environment: 'node',
          // Whole relays share two cores and measure time: one file after the other, after everything else.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
