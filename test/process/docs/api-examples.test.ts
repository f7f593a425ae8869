import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import {
  type Answered,
  type ApiDocument,
  callsOf,
  type ExampleCall,
  ExampleWalk,
} from '../support/example-walk.ts'

const SRC = path.resolve(import.meta.dirname, '../../../src/api')
/** `RECORD=1` writes the answers of this run where the examples lie. */
const isRecording = process.env['RECORD'] === '1'

const TOMORROW = new Date(Date.now() + 86_400_000).toISOString()

const PAID = { event: 'invoice.paid', data: { object: { total: 1000 } } }

/** Calls in an order in which each finds what it is about. A setup is a request that is not shown. */
const ORDER: readonly (string | { setup: string; body: object })[] = [
  ...['createWorkspace', 'listWorkspaces', 'getWorkspace', 'updateWorkspace', 'getSession'],
  ...['putEventType', 'importEventTypes', 'listEventTypes', 'getEventType', 'deleteEventType'],
  ...['createSubscription', 'createWebhook', 'listSubscriptions', 'getSubscription', 'updateSubscription'],
  ...['patchSubscription', 'getSecret', 'getKeySet', 'previewDraft', 'previewSubscription'],
  ...['publishEvents', 'listEventDeliveries', 'getDelivery', 'getAttempt', 'getEvent', 'listEvents'],
  ...['listLog', 'getStatistics', 'getWorkspaceStatistics'],
  { setup: '/events', body: { event: 'order.created', data: {} } },
  // As many as a replay at one a second has not made due before it is cancelled.
  { setup: '/events', body: { events: Array(50).fill(PAID) } },
  ...['listDeliveries', 'retryDelivery'],
  ...['testSubscription', 'checkReceiver', 'verifyRequest', 'dispatchEvent'],
  ...['replaySubscription', 'getReplay', 'listReplays', 'cancelReplay', 'replayEvent', 'replayDelivery'],
  ...['pauseSubscription', 'flushSubscription', 'resumeSubscription', 'disableSubscription'],
  ...['enableSubscription', 'rotateSecret'],
  {
    setup: '/events',
    body: { id: 'order-1002', event: 'order.created', data: {}, deliverAt: TOMORROW },
  },
  ...['cancelEvent', 'eraseEvent'],
  ...['openListener', 'renewListener', 'endListener'],
  ...['createKey', 'listKeys', 'getKey', 'updateKey', 'rotateKey', 'deleteKey'],
  ...['createPortalToken', 'deletePortalTokens', 'listAuditLog', 'getAuditEntry', 'verifyAuditLog'],
  ...['listArchives', 'getStatus', 'getRelayStatus', 'getKeyRotation', 'rotateKeys', 'getHealth'],
  ...['deleteSubscription', 'deleteWorkspace'],
]

/** Without an example that can be called here, each with its reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  downloadArchive: 'a file',
  getApiDocument: 'the document itself',
  getMetrics: 'a text of Prometheus',
  restoreArchive: 'a purge has to come before',
  streamDeliveries: 'a stream does not end',
  verifySubscription: 'a host is asked again after ten seconds only',
}

const stage = ownRelay('api-examples')
let calls: Map<string, ExampleCall>
let walk: ExampleWalk

beforeAll(async () => {
  const { relay, receiver } = stage
  receiver.script('/posthorn', { status: 200, body: 'Event processed successfully' })
  receiver.script('/hooks', 503)
  const document = (await (await fetch(`${relay.url}/openapi.json`)).json()) as ApiDocument
  calls = callsOf(document)
  walk = new ExampleWalk({
    ...{ relayUrl: relay.url, adminKey: relay.adminKey, workspace: 'acme' },
    hosts: new Map([
      ['https://relay.example.com', relay.url],
      ['wss://relay.example.com', relay.url.replace('http', 'ws')],
      ['https://hooks.example.com', receiver.url('')],
      ['https://warehouse.example.com', receiver.url('').replace('127.0.0.1', 'localhost')],
    ]),
  })
})

test('every call has an example, or a reason to have none', () => {
  const walked = ORDER.filter((step) => typeof step === 'string')
  const names = [...calls.keys()]
  expect(names.filter((name) => !walked.includes(name) && !(name in WITHOUT))).toEqual([])
  expect(walked.filter((name) => !calls.has(name))).toEqual([])
})

test('every example is answered by a relay as the document shows it', async () => {
  const recorded = new Map<string, Answered>()
  for (const step of ORDER) {
    if (typeof step !== 'string') {
      await setUp(step)
      continue
    }
    const call = calls.get(step)
    if (call === undefined) continue
    const { status, value, differences } = await walk.make(call)
    if (isRecording) recorded.set(step, { status, value })
    else expect(differences, `${step} as documented`).toEqual([])
    if (!isRecording) expect(Object.keys(call.answers), `${step} shows its answer`).toEqual([String(status)])
  }
  if (isRecording) record(recorded)
})

async function setUp({ setup, body }: { setup: string; body: object }): Promise<void> {
  const { relay } = stage
  const response = await fetch(`${relay.url}/api/v1${setup}`, {
    method: 'POST',
    headers: {
      ...{ Authorization: `Bearer ${relay.adminKey}`, 'X-Company-Id': 'acme' },
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  expect(response.status, await response.text()).toBe(202)
}

/** Calls that are answered as another one is: the Worker holds a large answer once. */
const SAME: Readonly<Record<string, string>> = {
  updateSubscription: 'getSubscription',
  patchSubscription: 'getSubscription',
  enableSubscription: 'getSubscription',
  resumeSubscription: 'getSubscription',
}

const FOLDERS = [
  ...['events', 'subscriptions', 'deliveries', 'statistics', 'diagnosis', 'event-types', 'workspace'],
  ...['access', 'audit', 'replays', 'archives', 'listeners'],
].map((name) => `v1/${name}`)

/** Writes the answers beside the routes, and the ids of this run into the requests: all of them, or none. */
function record(recorded: ReadonlyMap<string, Answered>): void {
  const refused = [...recorded].filter(([, { status }]) => status >= 300)
  expect(refused.map(([name, { status, value }]) => `${name}: ${status} ${JSON.stringify(value)}`)).toEqual(
    [],
  )
  for (const folder of [...FOLDERS, 'operations']) {
    const file = path.join(SRC, folder, 'examples.json')
    const examples = JSON.parse(walk.toReal(readFileSync(file, 'utf8'))) as Record<string, object>
    for (const [name, example] of Object.entries(examples)) {
      const found = recorded.get(name)
      if (found === undefined) continue
      const answer = SAME[name] === undefined ? { answer: found.value } : { answerOf: SAME[name] }
      Object.assign(example, found.status === 200 ? {} : { status: found.status }, answer)
    }
    writeFileSync(file, walk.toShown(`${JSON.stringify(examples, null, 2)}\n`))
  }
}
