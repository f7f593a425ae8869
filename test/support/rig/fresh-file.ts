import { applyD1Migrations, type D1Migration, reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { receivers } from '../receivers/receivers.ts'
import { beginTestFile } from './test-file.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      /** The files of migrations/, read by vitest.config.ts. */
      TEST_MIGRATIONS: D1Migration[]
    }
  }
}

// Test files share a runtime, one after the other: each begins with empty stores, no hints and no network.
await beginTestFile()
receivers.forget()
await reset()
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
