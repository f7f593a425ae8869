import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { Client, expectRefusal } from '../../../../support/process/http-client.ts'
import { receivers } from '../../../../support/receivers/receivers.ts'
import { freshStore } from '../../../../support/rig/builders.ts'

type Step = { step: string; result: string; message: string | null }
type Check = {
  reachable: boolean | null
  failed: string | null
  message: string
  steps: Step[]
  responseCode: number | null
  responseTime: number | null
  deliveryId: string | null
}

const HEALTH = `SELECT health, faults_in_row, failing_since_ms, failed_attempts, active, disabled_reason FROM subscription WHERE id = ?1`
const healthOf = (id: string) => env.DB.prepare(HEALTH).bind(id).first()

async function checked(settings: Record<string, unknown>) {
  const client = new Client()
  const { id } = await client.subscribe(settings)
  const before = await healthOf(id)
  const answer = await client.post<Check>(`/webhooks/${id}/check`)
  expect(answer.status, answer.text).toBe(200)
  return { client, id, before, check: answer.data }
}

const resultsOf = ({ steps }: Check) => steps.map(({ step, result }) => `${step} ${result}`)

beforeEach(freshStore)

describe('POST /webhooks/{id}/check', () => {
  test('sends one signed ping, and says that each step has passed', async () => {
    const url = receivers.url({ status: 204 })
    const { check } = await checked({ url, events: ['a'] })
    expect(check).toMatchObject({ reachable: true, failed: null, responseCode: 204 })
    expect(check.steps.map(({ step }) => step)).toEqual([
      'request',
      'name',
      'connection',
      'tls',
      'answer',
      'challenge',
    ])
    expect(check.steps.every(({ result }) => result === 'passed' || result === 'skipped')).toBe(true)
    const [ping, ...more] = receivers.received(url)
    expect(more).toEqual([])
    expect(ping?.headers.get('webhook-event-type')).toBe('posthorn.ping')
    expect(ping?.headers.get('webhook-signature')).toMatch(/^v1,/)
  })

  test.each<[number, RegExp]>([
    [401, /POST \/verify/],
    [404, /path/],
    [302, /Redirects are not followed/],
    [503, /own log/],
  ])('says of an answer of %i what to do', async (status, advice) => {
    const { check } = await checked({ url: receivers.url({ status }) })
    expect(check).toMatchObject({ reachable: false, failed: 'answer', responseCode: status })
    expect(check.message).toMatch(advice)
    expect(resultsOf(check)).toEqual(
      expect.arrayContaining(['connection passed', 'answer failed', 'challenge skipped']),
    )
  })

  test('tells a challenge to robots from an answer of the receiver', async () => {
    const headers = { 'cf-mitigated': 'challenge', server: 'cloudflare' }
    const { check } = await checked({ url: receivers.url({ status: 403, headers }) })
    expect(check).toMatchObject({ reachable: false, failed: 'challenge', responseCode: 403 })
    expect(resultsOf(check)).toEqual(expect.arrayContaining(['answer passed', 'challenge failed']))
  })

  test('changes nothing that is known of the receiver, and counts nowhere', async () => {
    for (const status of [200, 500, 410]) {
      const { client, id, before } = await checked({ url: receivers.url({ status }) })
      expect(await healthOf(id)).toEqual(before)
      const { data } = await client.get<{ total?: number } & Record<string, unknown>>(
        `/webhooks/${id}/statistics`,
      )
      expect(JSON.stringify(data)).not.toMatch(/"(delivered|failed|successful)[A-Za-z]*":[1-9]/)
    }
  })

  test('is in the log, marked as a test, and in the audit log', async () => {
    const { client, id, check } = await checked({ url: receivers.url() })
    const { data } = await client.get<{ id: string; event: string; test: boolean }[]>(`/webhooks/${id}/logs`)
    expect(data).toMatchObject([{ id: check.deliveryId, event: 'posthorn.ping', test: true }])
    const log = await client.get<{ action: string }[]>('/audit-log')
    expect(log.data.map(({ action }) => action)).toContain('checkReceiver')
  })

  test('sends nothing where the rules of the workspace do not allow it, and says so', async () => {
    const client = new Client()
    const url = receivers.url()
    const { id } = await client.subscribe({ url })
    await client.call('PUT', `/workspaces/${client.workspace}`, {
      json: { deniedHosts: [new URL(url).hostname] },
    })
    const { data } = await client.post<Check>(`/webhooks/${id}/check`)
    expect(data).toMatchObject({
      reachable: false,
      failed: 'request',
      message: expect.stringContaining('may not call'),
    })
    expect(receivers.received(url)).toEqual([])
  })

  test('sends nothing to a host that has not answered its challenge', async () => {
    const client = new Client()
    await client.call('PUT', `/workspaces/${client.workspace}`, { json: { verifyOwnership: true } })
    const url = receivers.url({ status: 404 })
    const { id } = await client.subscribe({ url })
    const { data } = await client.post<Check>(`/webhooks/${id}/check`)
    expect(data).toMatchObject({ reachable: false, failed: 'challenge', deliveryId: null })
    expect(receivers.received(url).map(({ headers }) => headers.get('webhook-event-type'))).not.toContain(
      'posthorn.ping',
    )
  })

  test('knows no subscription of another workspace', async () => {
    const { id } = await new Client().subscribe({ url: receivers.url() })
    expectRefusal(await new Client().post(`/webhooks/${id}/check`), 404, 'not_found')
  })
})
