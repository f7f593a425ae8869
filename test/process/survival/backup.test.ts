import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { Receiver, waitUntil } from '../../support/receivers/receiver.ts'
import { RelayApi } from '../support/relay-api.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
/** Over what a row of D1 takes. */
const LONG_TEXT = 'ä€🙂'.repeat(25_000)
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-backup-'))
const [stateDir, restoredDir] = [path.join(folder, 'state'), path.join(folder, 'restored')]
const archive = path.join(folder, 'backup.tgz')

let relay: RelayProcess
let restored: RelayProcess
let receiver: Receiver
/** Ids of events in the order of their answers. */
const published: string[] = []
/** Those of them whose first attempt fails, so that their payload is kept. */
const late = new Set<string>()
/** Those of them that were answered before the backup began. */
let known: string[] = []
let isLoaded = true
let load: Promise<void>

beforeAll(async () => {
  receiver = await Receiver.start()
  receiver.script('/retried', 500, 200)
  relay = await RelayProcess.start({ stateDir })
  const api = new RelayApi(relay, 'kept')
  await api.subscribe({ url: receiver.url('/plain'), secret: 'the-secret-of-this-one' })
  // Places of a concurrency that were taken at the backup would count as taken for a lease, as after a crash.
  const rateLimit = { requests: 100, perSeconds: 1 }
  await api.subscribe({ url: receiver.url('/paced'), secret: 'the-secret-of-this-one', rateLimit })
  await api.subscribe({
    ...{ url: receiver.url('/retried'), secret: 'the-secret-of-this-one', events: ['late.*'] },
    ...{ transform: { template: { text: '{{data.text}}' } }, retryPolicy: { retryDelay: 1, maxRetries: 9 } },
  })
  load = publishUntilTold(api)
})

afterAll(async () => {
  isLoaded = false
  await load
  await relay?.kill9()
  await restored?.stop()
  await receiver?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function publishUntilTold(api: RelayApi): Promise<void> {
  for (let n = 0; isLoaded; n++) {
    const text = n % 5 === 0 ? LONG_TEXT : 'short'
    // Few enough that their failures open no breaker.
    const event = n % 40 === 0 ? 'late.paid' : 'invoice.paid'
    published.push(await api.publish({ event, data: { n, text } }))
    if (event === 'late.paid') late.add(published.at(-1) ?? '')
  }
}

async function backUp(file: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/tasks/backup.ts', file], {
    cwd: ROOT,
    env: { ...process.env, STATE_DIR: stateDir },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

it('is taken of a relay that runs under load, in one file that its owner alone may read', async () => {
  await waitUntil(() => published.length > 50, 30_000)
  known = [...published]
  const { code, output } = await backUp(archive)
  expect(code, output).toBe(0)
  expect(output).toMatch(/\d+ databases and \d+ objects/)
  expect(statSync(archive).mode & 0o777).toBe(0o600)
  // The relay went on meanwhile.
  await waitUntil(() => published.length > known.length + 5, 15_000)
  expect(published.length).toBeGreaterThan(known.length + 5)
})

it('does not write over a file', async () => {
  expect(await backUp(archive)).toEqual({ code: 1, output: `${archive} exists; name another file.\n` })
})

it('is restored into another folder, where all that was answered before it is there and is delivered', async () => {
  isLoaded = false
  await load
  await relay.kill9()
  mkdirSync(restoredDir)
  execFileSync('tar', ['-xzf', archive, '-C', restoredDir])
  restored = await RelayProcess.start({ stateDir: restoredDir })
  const api = new RelayApi(restored, 'kept')
  const texts = await Promise.all(known.map((id) => api.call('GET', `/events/${id}`)))
  expect(texts.filter(({ text }) => text.includes(LONG_TEXT)).length).toBeGreaterThan(10)
  for (const at of ['/plain', '/paced', '/retried']) {
    const owed = known.filter((id) => at !== '/retried' || late.has(id))
    expect(owed.length, at).toBeGreaterThan(0)
    const missing = () => owed.filter((id) => !hasArrived(at, id))
    await waitUntil(() => missing().length === 0, 15_000)
    expect(missing(), at).toEqual([])
  }
  for (const id of known) {
    const { text } = await api.call('GET', `/events/${id}/deliveries`)
    expect(text).not.toContain('"internal"')
  }
})

function hasArrived(at: string, id: string): boolean {
  return (receiver.byId(at).get(id) ?? []).some(({ status }) => status === 200)
}
