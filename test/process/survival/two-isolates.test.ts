import { afterAll, beforeAll, expect, it } from 'vitest'
import { atFullCount } from '../../support/full-count.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { type Isolate, TwoIsolates } from '../../support/process/two-isolates.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'
import { RelayApi } from '../support/relay-api.ts'

const ROUNDS = atFullCount(15, { short: 8 })
const REVOCATIONS = atFullCount(30, { short: 2 })
/** Publishes that each isolate has in flight at once. */
const PUBLISHERS = 150

let receiver: Receiver
let two: TwoIsolates
let clients: RelayClient[]

beforeAll(async () => {
  receiver = await Receiver.start()
  two = await TwoIsolates.start()
  clients = two.isolates.map((isolate) => new RelayClient(isolate))
})

afterAll(async () => {
  await two?.stop()
  await receiver?.close()
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

type Outcome = { isLate: boolean; status: number; ids: string[] }

/** The publishes by one key; `isRevoked` once its revocation was answered. */
class Load {
  readonly workspace: string
  readonly outcomes: Outcome[] = []
  isRevoked = false

  constructor(workspace: string) {
    this.workspace = workspace
  }

  /** Publishes without a pause, and twice after the revocation was answered. */
  async publish({ url }: Isolate, key: string): Promise<void> {
    const client = new RelayClient({ url, adminKey: key }, this.workspace)
    for (let late = 0; late < 2; ) {
      const isLate = this.isRevoked
      const { status, ids } = await client.publish({ event: 'load.made', data: {} })
      this.outcomes.push({ isLate, status, ids })
      if (isLate) late++
    }
  }
}

it('accepts no publish by a key that begins after its revocation was answered, through whichever isolate, hundreds in flight', async () => {
  for (let round = 0; round < REVOCATIONS; round++) {
    const load = new Load(`revoked-${round}`)
    const owner = new RelayApi(two.isolates[round % 2 === 0 ? 0 : 1], load.workspace)
    const { data } = await owner.call('POST', '/keys', { name: 'a key', role: 'publisher' })
    const publishing = two.isolates.flatMap((isolate) =>
      Array.from({ length: PUBLISHERS }, () => load.publish(isolate, String(data['key']))),
    )
    await waitUntil(() => load.outcomes.length >= 2 * PUBLISHERS, 20_000)
    await owner.call('DELETE', `/keys/${data['id']}`)
    load.isRevoked = true
    await Promise.all(publishing)
    const late = load.outcomes.filter(({ isLate }) => isLate)
    expect(late).toHaveLength(4 * PUBLISHERS)
    expect(new Set(late.map(({ status }) => status))).toEqual(new Set([401]))
    // One that was in flight was committed, and answered so, or is nowhere.
    expect(new Set(await eventsOf(owner))).toEqual(new Set(load.outcomes.flatMap(({ ids }) => ids)))
  }
}, 600_000)

async function eventsOf(api: RelayApi): Promise<string[]> {
  const ids: string[] = []
  let cursor = ''
  do {
    const { text } = await api.call('GET', `/events?limit=1000${cursor}`)
    const { data, pagination } = JSON.parse(text) as Listed
    ids.push(...data.map(({ id }) => id))
    cursor = pagination.nextCursor === null ? '' : `&cursor=${pagination.nextCursor}`
  } while (cursor !== '')
  return ids
}

type Listed = { data: { id: string }[]; pagination: { nextCursor: string | null } }
