import { applyD1Migrations, type D1Migration, reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import entry from '../../../src/index.ts'
import { receivers } from '../receivers/receivers.ts'
import { servedFrom } from './served-from.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      /** The files of migrations/, read by vitest.config.ts. */
      TEST_MIGRATIONS: D1Migration[]
    }
  }
}

// Test files share a runtime, one after the other: each begins with empty stores, no hints and no network.
await reset()
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
entry.queue = servedFrom(Date.now(), entry.queue)
receivers.takeNetwork()
