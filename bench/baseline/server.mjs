/**
 * What a Node team would build instead: Hono, Postgres (events, deliveries, attempts) and BullMQ on Redis,
 * in one process.
 *
 * Environment: PG (Postgres URL), REDIS_PORT, PORT, TARGET (the receiver's URL), SUBS (matching
 * subscriptions), CONC (deliveries in flight).
 */
import { createHmac, randomUUID } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Queue, Worker } from 'bullmq'
import { Hono } from 'hono'
import pg from 'pg'

const TIMEOUT_MS = 10_000
const STORED_RESPONSE_CHARS = 1024
const JOB_OPTIONS = { attempts: 5, backoff: { type: 'exponential', delay: 5000 }, removeOnComplete: true }

const pool = new pg.Pool({ connectionString: process.env.PG, max: 10 })
await pool.query(`
  create table if not exists events(
    id text primary key, type text, body jsonb, created timestamptz default now());
  create table if not exists deliveries(
    id text primary key, event_id text, sub int, status text, attempts int default 0,
    updated timestamptz default now());
  create table if not exists attempts(
    id bigserial primary key, delivery_id text, n int, code int, ms int, body text,
    at timestamptz default now());
  truncate events, deliveries, attempts`)

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT ?? 6390) }
const queue = new Queue('deliveries', { connection })
const subscriptions = Array.from({ length: Number(process.env.SUBS ?? 1) }, (_, id) => ({
  id,
  url: process.env.TARGET,
  secret: `whsec_x${id}`,
  events: ['invoice.*'],
}))

function matching(type) {
  const matches = (p) => p === '*' || p === type || (p.endsWith('.*') && type.startsWith(p.slice(0, -1)))
  return subscriptions.filter((subscription) => subscription.events.some(matches))
}

const INSERT_EVENTS = `insert into events(id, type, body)
  select x->>'id', x->>'event', x from jsonb_array_elements($1::jsonb) x`
const INSERT_DELIVERIES = `insert into deliveries(id, event_id, sub, status)
  select x->>0, x->>1, (x->>2)::int, 'pending' from jsonb_array_elements($1::jsonb) x`

async function store(events, deliveries) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(INSERT_EVENTS, [JSON.stringify(events)])
    const rows = deliveries.map((delivery) => [delivery.id, delivery.event.id, delivery.sub])
    await client.query(INSERT_DELIVERIES, [JSON.stringify(rows)])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

async function publish(list) {
  const events = list.map((event) => ({
    id: `evt_${randomUUID()}`,
    timestamp: new Date().toISOString(),
    ...event,
  }))
  const deliveries = events.flatMap((event) =>
    matching(event.event).map((s) => ({ id: `dlv_${randomUUID()}`, event, sub: s.id })),
  )
  await store(events, deliveries)
  await queue.addBulk(deliveries.map((data) => ({ name: 'd', data, opts: JOB_OPTIONS })))
  return events.map((event) => event.id)
}

function signedHeaders(subscription, job, body) {
  const seconds = Math.floor(Date.now() / 1000)
  const content = `${job.data.id}.${seconds}.${body}`
  const signature = createHmac('sha256', subscription.secret).update(content).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': job.data.event.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
}

const RECORD_ATTEMPT = `
  with a as (insert into attempts(delivery_id, n, code, ms, body) values ($1, $2, $3, $4, $5))
  update deliveries set status = $6, attempts = attempts + 1, updated = now() where id = $1`

async function deliver(job) {
  const subscription = subscriptions[job.data.sub]
  const body = JSON.stringify(job.data.event)
  const startedAt = performance.now()
  const response = await fetch(subscription.url, {
    method: 'POST',
    body,
    headers: signedHeaders(subscription, job, body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = (await response.text()).slice(0, STORED_RESPONSE_CHARS)
  const status = response.ok ? 'success' : 'failed'
  const ms = Math.round(performance.now() - startedAt)
  await pool.query(RECORD_ATTEMPT, [job.data.id, job.attemptsMade + 1, response.status, ms, text, status])
  if (!response.ok) throw new Error(`status ${response.status}`)
}

const app = new Hono()
app.post('/events', async (c) => {
  const body = await c.req.json()
  return c.json({ ids: await publish(Array.isArray(body) ? body : [body]) }, 202)
})
app.get('/healthz', (c) => c.text('ok'))
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8790), hostname: '127.0.0.1' })
new Worker('deliveries', deliver, { connection, concurrency: Number(process.env.CONC ?? 50) })
