// Calls as a user of @hey-api/openapi-ts writes them, with every function by its name. The test compiles it.
import * as api from './generated/hey-api'
import { client } from './generated/hey-api/client.gen'

client.setConfig({ baseUrl: 'http://127.0.0.1:8787', auth: 'key' })
const headers = { 'X-Company-Id': 'acme' }
const path = { id: 'webhook_1' }
const query = { limit: 100, cursor: 'next' }

export async function publishAndRead(): Promise<string[]> {
  const published = await api.publishEvents({
    headers: { ...headers, 'Idempotency-Key': 'order-1' },
    body: { event: 'invoice.paid', data: { object: { total: 2567.5, lines: [{ sku: 'a' }] } } },
  })
  if (published.error !== undefined) throw new Error(published.error.error.message)
  await api.publishEvents({ body: { events: [{ type: 'a.b', data: { x: 1 } }] } })
  const dispatched = await api.dispatchEvent({
    body: { url: 'https://r.example.com', secret: 'a-secret-of-mine', event: 'a.b', data: { x: 1 } },
  })
  const events = await api.listEvents({ headers, query: { ...query, event: 'invoice.paid' } })
  const event: api.Event | undefined = events.data?.data[0]
  const payload = (await api.getEvent({ path, headers })).data?.data.payload
  await api.cancelEvent({ path })
  await api.eraseEvent({ path })
  const fates = (await api.listEventDeliveries({ path, query })).data?.data ?? []
  return [
    event?.id ?? '',
    payload ?? '',
    dispatched.data?.data.deliveryId ?? '',
    ...fates.map(({ url }) => url),
  ]
}

export async function subscribe(): Promise<api.Subscription | undefined> {
  const settings: api.SubscriptionSettings = {
    url: 'https://receiver.example.com/hooks',
    events: ['invoice.*'],
    filters: { 'invoice.total': { min: 1000 } },
    conditions: [{ field: 'data.object.total', operator: 'gte', value: 10 }],
    transform: { template: { text: '{{data.object.id}}' }, contentType: 'application/json' },
    retryPolicy: { tries: 3, backoff: [10, 30, 60] },
    auth: { type: 'basic', username: 'u', password: 'p' },
  }
  const created = await api.createSubscription({ headers, body: settings })
  await api.createWebhook({ headers: { 'Idempotency-Key': 'sub-1' }, body: settings })
  await api.previewDraft({ body: { subscription: settings, event: { data: { x: 1 } } } })
  await api.previewSubscription({ path, body: { event: 'a.b' } })
  await api.listSubscriptions({ query })
  await api.getSubscription({ path })
  await api.updateSubscription({ path, body: { active: false } })
  await api.patchSubscription({ path, body: { filters: null } })
  await api.deleteSubscription({ path })
  await api.enableSubscription({ path })
  await api.disableSubscription({ path })
  await api.pauseSubscription({ path })
  await api.verifySubscription({ path })
  await api.resumeSubscription({ path })
  await api.flushSubscription({ path })
  await api.verifySubscription({ path })
  await api.rotateSecret({ path, body: { overlapSeconds: 3600 } })
  const secret: string | undefined = (await api.getSecret({ path })).data?.data.secret
  return secret === undefined ? undefined : created.data?.data
}

export async function look(): Promise<api.Attempt[]> {
  const log = await api.listLog({ path, query: { ...query, status: 'failed' } })
  await api.getStatistics({ path })
  await api.testSubscription({ path, body: { testData: { object: { total: 1 } } } })
  await api.getDelivery({ path })
  await api.retryDelivery({ path })
  await api.replayDelivery({ path })
  await api.replayEvent({ path, body: { webhooks: ['webhook_1'] } })
  await api.replaySubscription({ path, body: { status: 'failed', dryRun: false } })
  await api.listReplays({ query })
  await api.getReplay({ path })
  await api.cancelReplay({ path })
  return log.data?.data.flatMap((delivery: api.Delivery) => delivery.attempts) ?? []
}

export async function operate(): Promise<api.Status | undefined> {
  const name = { name: 'invoice.paid' }
  await api.putEventType({ path: name, body: { example: { total: 1 }, schema: { type: 'object' } } })
  await api.getEventType({ path: name })
  await api.deleteEventType({ path: name })
  await api.listEventTypes({ query: { prefix: 'invoice.', deprecated: true } })
  await api.importEventTypes({ query: { dryRun: true }, body: { eventTypes: [{ name: 'a.b' }] } })
  await api.updateWorkspace({ path, body: { eventTypeEnforcement: 'warn' } })
  await api.getWorkspace({ path })
  await api.listWorkspaces({ query })
  await api.createWorkspace({ body: { id: 'acme', retentionDays: 30 } })
  await api.deleteWorkspace({ path })
  await api.listArchives({ query })
  await api.downloadArchive({ path })
  await api.restoreArchive({ path })
  await api.rotateKeys()
  await api.getKeyRotation()
  await api.getHealth()
  await api.getKeySet({ path })
  await api.getMetrics()
  await api.getApiDocument()
  await api.getRelayStatus()
  return (await api.getStatus({ headers })).data?.data
}

export async function lookAround(): Promise<string[]> {
  const rows: api.Delivery[] =
    (await api.listDeliveries({ query: { ...query, status: 'failed' } })).data?.data ?? []
  await api.getAttempt({ path: { id: 'log_1', n: '1' } })
  await api.getWorkspaceStatistics({ query: { window: '24h' } })
  await api.streamDeliveries({ query: { status: 'failed' } })
  await api.verifyRequest({ body: { headers: {}, body: '{}', secret: 'your-secret-key' } })
  await api.checkReceiver({ path })
  await api.openListener({ headers, body: { events: ['order.*'] } })
  await api.renewListener({ path, headers })
  await api.endListener({ path, headers })
  const token = await api.createPortalToken({ body: { webhooks: { metadata: { customerId: '42' } } } })
  await api.deletePortalTokens({ headers })
  return [token.data?.data.url ?? '', ...rows.map(({ id }) => id)]
}

export async function manageKeys(): Promise<string[]> {
  const session: api.Session | undefined = (await api.getSession({ headers })).data?.data
  const made = await api.createKey({
    body: { name: 'billing', role: 'publisher', allowedIps: ['192.0.2.0/24'] },
  })
  const keys: api.ApiKey[] = (await api.listKeys({ query })).data?.data ?? []
  await api.getKey({ path })
  await api.updateKey({ path, body: { scopes: ['events:read'], expiresAt: null } })
  const rotated = await api.rotateKey({ path, body: { overlapSeconds: 60 } })
  await api.deleteKey({ path })
  await api.listAuditLog({ headers })
  await api.verifyAuditLog({ headers })
  await api.getAuditEntry({ path, headers })
  return [made.data?.data.key ?? '', rotated.data?.data.key ?? '', session?.actor ?? '', keys[0]?.id ?? '']
}
