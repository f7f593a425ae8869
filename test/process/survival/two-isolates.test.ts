import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readBuild, workerOptions } from '../../../scripts/local/build/build.ts'
import { applyMigrations } from '../../../scripts/local/migrations.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'

const ADMIN_KEY = 'process_test_admin_key'
const ROUNDS = 15
const NAMES = ['posthorn', 'posthorn-two'] as const

const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-isolates-'))
let receiver: Receiver
let mf: Miniflare
let clients: RelayClient[]

/** Two Workers with one database, one bucket and one set of queues: what two isolates of one Worker are. */
beforeAll(async () => {
  receiver = await Receiver.start()
  const bindings = {
    ADMIN_KEY,
    KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    ALLOW_PRIVATE_DESTINATIONS: 'true',
    DELIVERY_SLOTS: '50',
  }
  const build = await readBuild(folder)
  const worker = workerOptions(build, bindings)
  // Locally a queue has one consumer.
  const { queueConsumers: _, ...second } = { queueConsumers: null, ...worker }
  const unsafeDirectSockets = [{ host: '127.0.0.1', port: 0 }]
  mf = new Miniflare(
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
  clients = await Promise.all(
    NAMES.map(async (name) => {
      const { origin } = await mf.unsafeGetDirectURL(name)
      return new RelayClient({ url: origin, adminKey: ADMIN_KEY })
    }),
  )
})

afterAll(async () => {
  await mf?.dispose()
  await receiver?.close()
  rmSync(folder, { recursive: true, force: true })
})

it('lets no event miss a subscription that was answered before its publish, through whichever isolate', async () => {
  const owed = new Map<string, string[]>()
  for (let round = 0; round < ROUNDS; round++) {
    const path = `/round-${round}`
    const creator = clients[round % 2]!
    owed.set(path, [])
    let subscribed = false
    const publishers = clients
      .flatMap((client) => [client, client, client])
      .map(async (client) => {
        for (let after = 0; after < 3; ) {
          const isOwed = subscribed
          const { ids, matched } = await client.publish({ event: `round.${round}`, data: {} })
          if (!isOwed) continue
          after++
          expect(matched).toEqual([1])
          owed.get(path)?.push(...ids)
        }
      })
    const subscribing = creator
      .subscribe({ url: receiver.url(path), events: [`round.${round}`] })
      .then(() => {
        subscribed = true
      })
    await Promise.all([...publishers, subscribing])
  }
  for (const [path, ids] of owed) {
    await waitUntil(() => ids.every((id) => receiver.byId(path).has(id)), 10_000)
    expect(ids.filter((id) => !receiver.byId(path).has(id))).toEqual([])
  }
})
