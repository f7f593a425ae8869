// Every call of the API as a user of openapi-typescript and openapi-fetch writes it. The test compiles it.
import createClient from 'openapi-fetch'
import type { components, paths } from './generated/openapi-typescript'

type Schemas = components['schemas']

const client = createClient<paths>({
  baseUrl: 'http://127.0.0.1:8787',
  headers: { Authorization: 'Bearer key' },
})
const header = { 'X-Company-Id': 'acme' }
const path = { id: 'webhook_1' }
const query = { limit: 100, cursor: 'next' }

const settings: Schemas['SubscriptionSettings'] = {
  url: 'https://receiver.example.com/hooks',
  events: ['invoice.*', 'order.created'],
  secret: 'a-secret-of-mine',
  description: null,
  metadata: { team: 'billing' },
  headers: { 'X-Team': 'billing' },
  retryPolicy: { maxRetries: 3, retryDelay: 5, byEvent: { 'invoice.paid': { schedule: [60, 300] } } },
  filters: { 'invoice.total': { min: 1000, max: 5000 }, 'customer.tags': ['vip', 'gold'], currency: 'EUR' },
  conditions: [
    { field: 'data.object.total', operator: 'gt', value: 1000 },
    { field: 'data.object.country', operator: 'in', value: ['DE', 'AT'] },
  ],
  conditionLogic: 'OR',
  transform: { template: { text: 'New: {{data.object.id}}', lines: [{ total: '{{data.object.total}}' }] } },
  profile: 'custom',
  custom: { payload: 'standard', signature: { header: 'X-Signature', algorithm: 'sha256' } },
  auth: {
    type: 'oauth2',
    tokenUrl: 'https://auth.example.com/token',
    clientId: 'id',
    clientSecret: 'secret',
  },
  responseRules: [{ status: ['5xx', 423], bodyContains: 'busy', outcome: 'retry' }],
  disablePolicy: { afterSeconds: 86_400 },
  batchSettings: { maxEvents: 100, flushOnEvent: ['invoice.paid'] },
  rateLimit: { requests: 100, perSeconds: 60 },
}

export async function events(): Promise<string[]> {
  const { data, error } = await client.POST('/api/v1/events', {
    params: { header: { ...header, 'Idempotency-Key': 'order-1' } },
    body: {
      event: 'invoice.paid',
      data: { object: { id: 'inv_1', total: 2567.5 } },
      context: { source: 'shop' },
    },
  })
  if (error !== undefined) throw new Error(`${error.error.code}: ${error.error.requestId}`)
  if ('events' in data.data) throw new Error('one event was published')
  const { id, matched, warnings = [] }: Schemas['AcceptedEvent'] = data.data
  const several = await client.POST('/api/v1/events', {
    params: { header },
    body: {
      events: [
        { id: 'e-1', event: 'a.b', data: { n: 1 } },
        { type: 'a.c', data: { list: [1, 'two', null] } },
      ],
    },
  })
  await client.POST('/api/v1/dispatch', {
    params: { header },
    body: { url: settings.url, secret: 'a-secret-of-mine', event: 'a.b', data: { x: 1 }, wait: true },
  })
  const list = await client.GET('/api/v1/events', {
    params: { header, query: { ...query, event: 'invoice.paid', dateFrom: '2026-01-01' } },
  })
  const ids: string[] = list.data?.data.map((event: Schemas['Event']) => event.id) ?? []
  const one = await client.GET('/api/v1/events/{id}', { params: { path, header } })
  const payload: string | null | undefined = one.data?.data.payload
  await client.DELETE('/api/v1/events/{id}', { params: { path, header } })
  const cancelled = await client.POST('/api/v1/events/{id}/cancel', { params: { path, header } })
  const fates = await client.GET('/api/v1/events/{id}/deliveries', { params: { path, header, query } })
  const reasons = fates.data?.data.map(({ reason, delivery }) => delivery?.status ?? reason ?? 'none') ?? []
  const count: number = (cancelled.data?.data.cancelledDeliveries ?? 0) + matched
  return [id, ...warnings, ...ids, payload ?? '', ...reasons, String(count), String(several.response.status)]
}

export async function subscriptions(): Promise<Schemas['Subscription'][]> {
  const created = await client.POST('/api/v1/webhooks/subscribe', { params: { header }, body: settings })
  if (created.error !== undefined) {
    for (const { path: field, message } of created.error.error.details ?? []) throw new Error(field + message)
    return []
  }
  await client.POST('/api/v1/webhooks', { params: { header }, body: { url: settings.url, events: ['*'] } })
  const subscription: Schemas['Subscription'] = created.data.data
  const secret: string = subscription.secret
  const held: string | null = subscription.breaker.heldUntil
  const list = await client.GET('/api/v1/webhooks', { params: { header, query } })
  const next: string | null | undefined = list.data?.pagination.nextCursor
  await client.GET('/api/v1/webhooks/{id}', { params: { path, header } })
  await client.PUT('/api/v1/webhooks/{id}', {
    params: { path, header },
    body: { active: true, filters: ['a > 1'] },
  })
  await client.PATCH('/api/v1/webhooks/{id}', { params: { path, header }, body: { transform: null } })
  await client.DELETE('/api/v1/webhooks/{id}', { params: { path, header } })
  const shown = await client.GET('/api/v1/webhooks/{id}/secret', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/rotate-secret', {
    params: { path, header },
    body: { overlapSeconds: 60 },
  })
  await client.POST('/api/v1/webhooks/{id}/enable', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/disable', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/pause', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/verify', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/resume', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/flush', { params: { path, header } })
  await client.POST('/api/v1/webhooks/{id}/verify', { params: { path, header } })
  const preview = await client.POST('/api/v1/webhooks/{id}/preview', {
    params: { path, header },
    body: { event: 'invoice.paid', data: { object: { total: 1 } } },
  })
  await client.POST('/api/v1/webhooks/preview', {
    params: { header },
    body: { subscription: settings, event: { data: { x: 1 } } },
  })
  const sent: string | undefined = preview.data?.data.request?.headers['X-Signature']
  return [secret, held, next, shown.data?.data.secret, sent].every(Boolean) ? [subscription] : []
}

export async function deliveries(): Promise<Schemas['Attempt'][]> {
  const log = await client.GET('/api/v1/webhooks/{id}/logs', {
    params: { path, header, query: { ...query, status: 'failed', dateTo: '2026-12-31T23:59:59Z' } },
  })
  const rows: Schemas['Delivery'][] = log.data?.data ?? []
  const statistics = await client.GET('/api/v1/webhooks/{id}/statistics', { params: { path, header } })
  const p99: number | null | undefined = statistics.data?.data.latencyPercentiles.p99
  const test = await client.POST('/api/v1/webhooks/{id}/test', {
    params: { path, header },
    body: { event: 'invoice.paid', testData: { object: { total: 1 } } },
  })
  const outcome: Schemas['DeliveryOutcome'] | undefined = test.data?.data
  await client.GET('/api/v1/deliveries/{id}', { params: { path, header } })
  await client.POST('/api/v1/deliveries/{id}/retry', { params: { path, header } })
  await client.POST('/api/v1/deliveries/{id}/replay', { params: { path, header } })
  return p99 === null && outcome?.success ? [] : rows.flatMap(({ attempts }) => attempts)
}

export async function replays(): Promise<number> {
  const started = await client.POST('/api/v1/webhooks/{id}/replay', {
    params: { path, header },
    body: {
      status: ['failed', 'skipped'],
      events: ['invoice.*'],
      dateFrom: '2026-01-01',
      ratePerSecond: 10,
      dryRun: true,
    },
  })
  const answer = started.data?.data
  const count = answer !== undefined && 'count' in answer ? answer.count : (answer?.replayed ?? 0)
  await client.POST('/api/v1/events/{id}/replay', {
    params: { path, header },
    body: { webhooks: ['webhook_1'] },
  })
  const list = await client.GET('/api/v1/replays', { params: { header, query } })
  const replay: Schemas['Replay'] | undefined = list.data?.data[0]
  await client.GET('/api/v1/replays/{id}', { params: { path, header } })
  await client.POST('/api/v1/replays/{id}/cancel', { params: { path, header } })
  return count + (replay?.examined ?? 0)
}

export async function catalogue(): Promise<Schemas['EventType'] | undefined> {
  const name = { name: 'invoice.paid' }
  const put = await client.PUT('/api/v1/event-types/{name}', {
    params: { path: name, header },
    body: {
      description: 'An invoice was paid',
      schema: { type: 'object', required: ['object'], properties: { object: { type: 'object' } } },
      example: { object: { total: 2567.5 } },
    },
  })
  await client.GET('/api/v1/event-types', {
    params: { header, query: { ...query, prefix: 'invoice.', deprecated: false } },
  })
  await client.GET('/api/v1/event-types/{name}', { params: { path: name, header } })
  await client.DELETE('/api/v1/event-types/{name}', { params: { path: name, header } })
  const imported = await client.POST('/api/v1/event-types/import', {
    params: { header, query: { dryRun: true } },
    body: { eventTypes: [{ name: 'a.b', example: { x: 1 } }] },
  })
  const created: string[] | undefined = imported.data?.data.created
  return created === undefined ? undefined : put.data?.data
}

export async function operations(): Promise<Schemas['Status'] | undefined> {
  const workspace = await client.PUT('/api/v1/workspaces/{id}', {
    params: { path, header },
    body: { retentionDays: 30 },
  })
  await client.GET('/api/v1/workspaces/{id}', { params: { path, header } })
  const workspaces = await client.GET('/api/v1/workspaces', { params: { header, query } })
  const workspaceId: string | undefined = workspaces.data?.data[0]?.id
  await client.POST('/api/v1/workspaces', { params: { header }, body: { id: workspaceId ?? 'acme' } })
  await client.DELETE('/api/v1/workspaces/{id}', { params: { path, header } })
  const archives = await client.GET('/api/v1/archives', { params: { header, query } })
  const archive: Schemas['Archive'] | undefined = archives.data?.data[0]
  await client.GET('/api/v1/archives/{id}', { params: { path, header }, parseAs: 'stream' })
  await client.POST('/api/v1/archives/{id}/restore', { params: { path, header } })
  const status = await client.GET('/api/v1/status', { params: { header } })
  await client.GET('/api/v1/status/relay', { params: { header } })
  await client.POST('/api/v1/key-rotation', { params: { header } })
  await client.GET('/api/v1/key-rotation', { params: { header } })
  const health = await client.GET('/healthz')
  const keys = await client.GET('/jwks/{id}', { params: { path } })
  const metrics = await client.GET('/metrics', { params: { header }, parseAs: 'text' })
  const document = await client.GET('/openapi.json')
  const facts = [
    workspace.data?.data.archive,
    archive?.bytes,
    health.data?.status,
    keys.data?.keys[0]?.kid,
    metrics.data,
  ]
  return facts.length > 0 && document.data !== undefined ? status.data?.data : undefined
}

export async function manageKeys(): Promise<string[]> {
  const session = await client.GET('/api/v1/session', { params: { header } })
  const made = await client.POST('/api/v1/keys', {
    params: { header },
    body: { name: 'billing', role: 'publisher', allowedIps: ['192.0.2.0/24'] },
  })
  const list = await client.GET('/api/v1/keys', { params: { header, query } })
  const key: Schemas['ApiKey'] | undefined = list.data?.data[0]
  await client.GET('/api/v1/keys/{id}', { params: { path, header } })
  await client.PATCH('/api/v1/keys/{id}', {
    params: { path, header },
    body: { scopes: ['events:read'], expiresAt: null },
  })
  const rotated = await client.POST('/api/v1/keys/{id}/rotate', {
    params: { path, header },
    body: { overlapSeconds: 60 },
  })
  await client.DELETE('/api/v1/keys/{id}', { params: { path, header } })
  await client.GET('/api/v1/audit-log', { params: { header } })
  await client.GET('/api/v1/audit-log/verify', { params: { header } })
  await client.GET('/api/v1/audit-log/{id}', { params: { path, header } })
  return [
    made.data?.data.key ?? '',
    rotated.data?.data.key ?? '',
    session.data?.data.actor ?? '',
    key?.id ?? '',
  ]
}

export async function lookAround(): Promise<string[]> {
  const listed = await client.GET('/api/v1/deliveries', { params: { header, query: { status: 'failed' } } })
  const rows: Schemas['Delivery'][] = listed.data?.data ?? []
  await client.GET('/api/v1/deliveries/{id}/attempts/{n}', {
    params: { path: { id: 'log_1', n: '1' }, header },
  })
  await client.GET('/api/v1/statistics', { params: { header, query: { window: '24h' } } })
  await client.GET('/api/v1/stream', { params: { header, query: { status: 'failed' } }, parseAs: 'stream' })
  await client.POST('/api/v1/verify', {
    params: { header },
    body: { headers: {}, body: '{}', secret: 'your-secret-key' },
  })
  await client.POST('/api/v1/webhooks/{id}/check', { params: { path, header } })
  await client.POST('/api/v1/listeners', { params: { header }, body: { events: ['order.*'] } })
  await client.PUT('/api/v1/listeners/{id}', { params: { path, header } })
  await client.DELETE('/api/v1/listeners/{id}', { params: { path, header } })
  const token = await client.POST('/api/v1/portal-tokens', {
    params: { header },
    body: { webhooks: { metadata: { customerId: '42' } } },
  })
  await client.DELETE('/api/v1/portal-tokens', { params: { header } })
  return [token.data?.data.url ?? '', ...rows.map(({ id }) => id)]
}
