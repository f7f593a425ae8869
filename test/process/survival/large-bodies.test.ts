import { type ClientRequest, request } from 'node:http'
import { expect, it } from 'vitest'
import { atFullCount } from '../../support/full-count.ts'
import { ownRelay } from '../../support/process/own-relay.ts'

const BODY_BYTES = 9_600_000
const AT_ONCE = atFullCount(30, { short: 14 })
/** Of all bodies together it would be more, and was several times as much. */
const GROWTH_BYTES_MAX = 700_000_000

const stage = ownRelay('large')

it('many publishes of 9.6 MB at once are accepted or put off, and none is lost', async () => {
  const row = '{"id":"cus_00231","amount":2567.5,"name":"Jean Doe","active":true}'
  const rows = Array.from({ length: Math.floor(BODY_BYTES / (row.length + 1)) }, () => row)
  const { relay } = stage
  const before = { pids: relay.processes(), bytes: relay.workerdMemory('VmRSS') }
  const answers = await publishAtOnce(`{"event":"a.b","data":{"x":[${rows.join(',')}]}}`)
  expect(new Set(answers.map(outlineOf))).toSatisfy(
    (outlines: Set<string>) =>
      outlines.delete('202') && [...outlines].every((one) => one === '503, try again'),
  )
  for (const { id } of answers.filter(({ status }) => status === 202)) {
    const found = await fetch(`${relay.url}/api/v1/events/${id}`, {
      headers: { Authorization: `Bearer ${relay.adminKey}` },
    })
    expect(found.status).toBe(200)
    await found.arrayBuffer()
  }
  expect(relay.processes()).toEqual(before.pids)
  expect(relay.workerdMemory('VmHWM') - before.bytes).toBeLessThan(GROWTH_BYTES_MAX)
})

it('bodies of more values than a relay has memory for are refused, and it lives on', async () => {
  const { relay } = stage
  const before = relay.processes()
  const answers = await publishAtOnce(`{"event":"a.b","data":{"x":[{}${',{}'.repeat(BODY_BYTES / 3)}]}}`)
  expect([...new Set(answers.map(outlineOf))].sort()).toSatisfy((outlines: string[]) =>
    outlines.every((one) => one === '413' || one === '503, try again'),
  )
  expect(relay.processes()).toEqual(before)
  expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
})

it('clients that leave while they send take no room with them', async () => {
  const body = Buffer.from(`{"event":"a.b","data":{"t":"${'x'.repeat(BODY_BYTES)}"}}`)
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => leaveHalfway(body, 100 + 20 * i)))
  expect(await publish(body)).toMatchObject({ status: 202 })
})

type Answer = { status: number; id: string; retryAfter: string | undefined }

function outlineOf({ status, retryAfter }: Answer): string {
  return retryAfter === undefined ? String(status) : `${status}, try again`
}

async function publishAtOnce(text: string): Promise<Answer[]> {
  const body = Buffer.from(text)
  return await Promise.all(Array.from({ length: AT_ONCE }, () => publish(body)))
}

async function publish(body: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = newPublish(body)
  sent.on('error', reject).on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('error', reject).on('end', () => {
      const { data } = JSON.parse(text) as { data?: { id: string } }
      const { statusCode = 0, headers } = response
      resolve({ status: statusCode, id: data?.id ?? '', retryAfter: headers['retry-after'] })
    })
  })
  sent.end(body)
  return await promise
}

/** Sends half of a body and breaks the connection off. */
async function leaveHalfway(body: Buffer, afterMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const sent = newPublish(body)
  sent.on('error', () => undefined).on('close', resolve)
  sent.write(body.subarray(0, body.length / 2))
  setTimeout(() => sent.destroy(), afterMs)
  await promise
}

function newPublish(body: Buffer): ClientRequest {
  const { relay } = stage
  return request(`${relay.url}/api/v1/events`, {
    method: 'POST',
    // Each on a connection of its own, which nothing before it can have broken.
    agent: false,
    headers: {
      Authorization: `Bearer ${relay.adminKey}`,
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    },
  })
}
