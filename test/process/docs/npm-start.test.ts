import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const stage = ownRelay('voice', { env: { LOG: '' } })
const { stateDir } = stage

async function call(at: string, body: object): Promise<{ data: { id: string } }> {
  const { relay } = stage
  const response = await fetch(`${relay.url}/api/v1${at}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${relay.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return (await response.json()) as { data: { id: string } }
}

it('tells a person of each publish and delivery, and of nothing else', async () => {
  const { relay, receiver } = stage
  await call('/webhooks/subscribe', {
    url: receiver.url('/ok'),
    events: ['invoice.*'],
    secret: 'a-secret-of-mine',
  })
  await call('/webhooks/subscribe', {
    ...{ url: 'http://127.0.0.1:1/refused', events: ['invoice.*'], secret: 'a-secret-of-mine' },
  })
  const { data } = await call('/events', { event: 'invoice.paid', data: { object: { id: 'inv_1' } } })
  const expected = [
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d  published  ${data.id}: 2 deliveries to make, \\d+ ms$`, 'm'),
    new RegExp(
      `^\\S+  delivered  invoice\\.paid ${data.id} to ${new URL(receiver.url('')).host}: 200 in \\d+ ms$`,
      'm',
    ),
    new RegExp(
      `^\\S+  failed     invoice\\.paid ${data.id} to 127\\.0\\.0\\.1:1: \\w+ in \\d+ ms; attempt 1, the next at `,
      'm',
    ),
  ]
  await waitUntil(() => expected.every((line) => line.test(relay.output)), 15_000)
  for (const line of expected) expect(relay.output).toMatch(line)
  const said = relay.output.split('Ctrl-C stops it; the state stays.')[1]?.trim().split('\n') ?? []
  expect(said).toHaveLength(expected.length)
  expect(said.filter((line) => line.includes('{'))).toEqual([])
})

it('tells of a runtime that has crashed, and of a state that is new', async () => {
  const { relay } = stage
  expect(relay.output).toMatch(new RegExp(`^State +${stateDir}, new$`, 'm'))
  const { workerd } = JSON.parse(readFileSync(path.join(stateDir, 'run.json'), 'utf8'))
  process.kill(workerd.pid, 'SIGKILL')
  const told = /^\S+ {2}warning {4}The runtime has crashed and was started again\.$/m
  await waitUntil(() => told.test(relay.output), 15_000)
  expect(relay.output).toMatch(told)
  expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
})

it('does not start with settings that the Worker would refuse', async () => {
  const wrong = { DELIVERY_SLOTS: '0', LOG_SAMPLE: 'all', LOG: 'xml', PORT: 'x' }
  for (const [name, value] of Object.entries(wrong)) {
    const refused = RelayProcess.spawn({ stateDir: path.join(stage.folder, name), env: { [name]: value } })
    expect(await refused.exited, name).toEqual({ code: 1, signal: null })
    expect(refused.output, name).toContain(name)
    await refused.kill9()
  }
})
