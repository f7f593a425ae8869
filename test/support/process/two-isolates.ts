import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { applyMigrations } from '../../../scripts/local/build/apply-migrations.ts'
import { readBuild, workerOptions } from '../../../scripts/local/build/build.ts'

const ADMIN_KEY = 'process_test_admin_key'
const NAMES = ['posthorn', 'posthorn-two'] as const
const BINDINGS = {
  ADMIN_KEY,
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  ALLOW_PRIVATE_DESTINATIONS: 'true',
  DELIVERY_SLOTS: '50',
}

/** An isolate as its callers see it. */
export type Isolate = { url: string; adminKey: string }

/** Two Workers with one database, one bucket and one set of queues: what two isolates of one Worker are. */
export class TwoIsolates {
  readonly isolates: readonly [Isolate, Isolate]
  readonly #mf: Miniflare
  readonly #folder: string

  private constructor(isolates: [Isolate, Isolate], mf: Miniflare, folder: string) {
    this.isolates = isolates
    this.#mf = mf
    this.#folder = folder
  }

  static async start(): Promise<TwoIsolates> {
    const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-isolates-'))
    const build = await readBuild(folder)
    const worker = workerOptions(build, BINDINGS)
    // Locally a queue has one consumer.
    const { queueConsumers: _, ...second } = { queueConsumers: null, ...worker }
    const unsafeDirectSockets = [{ host: '127.0.0.1', port: 0 }]
    const mf = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        cf: false,
        log: new Log(LogLevel.ERROR),
        handleStructuredLogs: () => undefined,
        workers: [
          { ...worker, name: NAMES[0], unsafeDirectSockets },
          { ...second, name: NAMES[1], unsafeDirectSockets },
        ],
      }),
    )
    await mf.ready
    await applyMigrations(await mf.getD1Database('DB'), build.migrations)
    const isolateOf = async (name: string) => {
      const { origin: url } = await mf.unsafeGetDirectURL(name)
      return { url, adminKey: ADMIN_KEY }
    }
    return new TwoIsolates([await isolateOf(NAMES[0]), await isolateOf(NAMES[1])], mf, folder)
  }

  async stop(): Promise<void> {
    await this.#mf.dispose()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
