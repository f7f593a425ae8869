import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { relayOf } from '../../../../../src/relay.ts'
import { ADMIN_KEY, Client, expectInvalid, expectRefusal } from '../../../../support/process/http-client.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { DAY_MS, purgeNow, setRetention, settleHistory } from '../../../../support/rig/history.ts'

type ArchiveAnswer = {
  no: number
  events: number
  bytes: number
  acceptedFrom: string
  acceptedTo: string
  createdAt: string
  restoredAt: string | null
}

let client: Client
let workspaceNo: number
const ids: string[] = []
let deliveryId: string

/** Three archives of two events each. */
beforeAll(async () => {
  expect(relayOf(env).ok).toBe(true)
  const rig = await createRig()
  workspaceNo = rig.workspaceNo
  client = new Client(rig.workspace)
  await setRetention(workspaceNo, { archive: true })
  const subscription = await rig.subscribe()
  for (let i = 0; i < 3; i++) {
    const outcomes = await rig.publish({ id: `own-${i}`, data: { i } }, { data: { i } })
    ids.push(...outcomes.map((outcome) => ('id' in outcome ? outcome.id : '')))
    await settleHistory(rig)
    const [log] = (await client.get<{ id: string }[]>(`/webhooks/${subscription.id}/logs`)).data
    deliveryId = log?.id ?? ''
    rig.clock.nowMs += 91 * DAY_MS
    expect(await purgeNow(rig)).toMatchObject({ archives: 1 })
  }
})

const newest = async () => {
  const { data } = await client.get<ArchiveAnswer[]>('/archives?limit=1')
  return data[0]!
}

function download(path: string, workspace = client.workspace) {
  const headers = { Authorization: `Bearer ${ADMIN_KEY}`, 'X-Company-Id': workspace }
  return import('cloudflare:workers').then(({ exports }) =>
    exports.default.fetch(new Request(`https://relay.example.com${path}`, { headers })),
  )
}

test('archives are listed newest first, page by page', async () => {
  const all = await client.all<ArchiveAnswer>('/archives', 2)
  expect(all.map(({ events, restoredAt }) => [events, restoredAt])).toEqual([
    [2, null],
    [2, null],
    [2, null],
  ])
  expect(all.map(({ no }) => no)).toEqual(all.map(({ no }) => no).toSorted((a, b) => b - a))
  expect(all[0]!.acceptedFrom > all[1]!.acceptedTo).toBe(true)
  expectInvalid(await client.get('/archives?cursor=x'), 'cursor', /nextCursor/)
  expectInvalid(await client.get('/archives?order=asc'), 'order', /is not a/)
})

test.each(['/api/v1', '/v1'])('%s: an archive is downloaded as it waits in R2', async (prefix) => {
  const { no, bytes } = await newest()
  const response = await download(`${prefix}/archives/${no}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/gzip')
  expect(response.headers.get('content-disposition')).toBe(`attachment; filename="archive-${no}.ndjson.gz"`)
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  const blob = await response.blob()
  expect(blob.size).toBe(bytes)
  const text = await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).text()
  const [header, ...events] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(header).toEqual({ format: 'posthorn-archive', version: 1, workspace: client.workspace, events: 2 })
  expect(events.map(({ id }) => id)).toEqual(ids.slice(4))
})

test('restoring brings events and deliveries back under their ids, and says so', async () => {
  const { no } = await newest()
  for (const id of ids.slice(4)) expectRefusal(await client.get(`/events/${id}`), 404, 'not_found')
  const restored = await client.post(`/archives/${no}/restore`)
  expect([restored.status, restored.data]).toEqual([200, { events: 2, deliveries: 2 }])
  for (const id of ids.slice(4)) expect((await client.get(`/events/${id}`)).data).toMatchObject({ id })
  expect((await client.get(`/deliveries/${deliveryId}`)).data).toMatchObject({
    id: deliveryId,
    status: 'success',
  })
  expect((await newest()).restoredAt).toMatch(/^\d{4}-/)
  expect((await client.post(`/archives/${no}/restore`)).data).toEqual({ events: 0, deliveries: 0 })
})

test('no tenant can list, read or restore another’s', async () => {
  const { no } = await newest()
  const other = new Client()
  await other.get(`/workspaces/${other.workspace}`)
  expect((await other.get('/archives')).data).toEqual([])
  expect((await download(`/v1/archives/${no}`, other.workspace)).status).toBe(404)
  expectRefusal(await other.post(`/archives/${no}/restore`), 404, 'not_found')
})

test.each(['0', '-1', 'x', '1.5', '99999999999999', '9999999999999999999'])(
  'there is no archive %s',
  async (no) => {
    expectRefusal(await client.get(`/archives/${no}`), 404, 'not_found')
    expectRefusal(await client.post(`/archives/${no}/restore`), 404, 'not_found')
  },
)

test('an archive without a key is refused', async () => {
  const answer = await client.get('/archives/1', { headers: { Authorization: null } })
  expectRefusal(answer, 401, 'unauthorized')
})

test('one whose object is missing or damaged is a conflict that says so', async () => {
  const { no } = (await client.all<ArchiveAnswer>('/archives', 100)).at(-1)!
  const key = await env.DB.prepare('SELECT key FROM archive WHERE no = ?1').bind(no).first<string>('key')
  await env.BODIES.put(key ?? '', 'no archive')
  expectRefusal(await client.post(`/archives/${no}/restore`), 409, 'conflict')
  await env.BODIES.delete(key ?? '')
  expectRefusal(await client.post(`/archives/${no}/restore`), 409, 'conflict')
  expectRefusal(await client.get(`/archives/${no}`), 409, 'conflict')
})
