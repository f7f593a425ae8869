import {
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { StateDir } from '../../../scripts/local/state.ts'
import { ownRelay } from '../../support/process/own-relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

const PAGE_BYTES = 4_096
const stage = ownRelay('damaged')
const { folder, stateDir } = stage

/** Overwrites pages of a file, as a disk that fails, and removes what SQLite would mend them with. */
function damage(file: string): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(2 * PAGE_BYTES, 'x'), 0, 2 * PAGE_BYTES, 0)
  closeSync(descriptor)
  for (const rest of ['-wal', '-shm']) rmSync(file + rest, { force: true })
}

function databases(pattern: string): string[] {
  return globSync(pattern, { cwd: path.join(stateDir, 'v3') })
    .filter((name) => !name.endsWith('metadata.sqlite'))
    .map((name) => path.join(stateDir, 'v3', name))
}

it('a pacer whose file cannot be read is made anew, and what it was to count is delivered', async () => {
  const { receiver } = stage
  receiver.script('/limited', 'hang')
  const client = new RelayClient(stage.relay)
  await client.subscribe({
    url: receiver.url('/limited'),
    events: ['*'],
    rateLimit: { requests: 50, perSeconds: 1 },
  })
  await client.publish(Array.from({ length: 20 }, (_, n) => ({ event: 'a.b', data: { n } })))
  expect(await waitUntil(() => receiver.requests('/limited').length > 0, 10_000)).toBe(true)
  await stage.relay.kill9()
  const pacers = databases('do/*Pacer/*.sqlite')
  expect(pacers.length).toBeGreaterThan(0)
  for (const file of pacers) damage(file)
  receiver.script('/limited', 200)
  const relay = await stage.start()
  for (const file of pacers) expect(relay.output).toContain(`${file} was damaged and is made anew.`)
  expect(await receiver.waitForDelivered('/limited', 20, 30_000)).toBe(true)
})

it.each(['', '{', 'null', '{}', '[1]', '"text"'])('records that hold %j are written anew', async (text) => {
  const dir = path.join(folder, 'records')
  mkdirSync(path.join(dir, 'v3/d1'), { recursive: true })
  writeFileSync(path.join(dir, 'run.json'), text)
  writeFileSync(path.join(dir, 'v3/d1/migrations.json'), text)
  const state = await StateDir.take(dir)
  expect(Array.isArray(state.migrations())).toBe(true)
  expect(JSON.parse(readFileSync(path.join(dir, 'run.json'), 'utf8'))).toMatchObject({ pid: process.pid })
  state.release()
})

it('a database that cannot be read is named, with what to do; there is no stack trace', async () => {
  await stage.relay.stop()
  const [file = ''] = databases('d1/**/*.sqlite')
  damage(file)
  const refused = await startInVain(stateDir)
  expect(refused).toContain(`${file} is damaged. Restore a backup into another folder`)
  expect(refused).not.toMatch(/^\s+at |exception = |stack:/m)
})

it.each<[string, (dir: string) => void]>([
  ['a file', (dir) => writeFileSync(dir, '')],
  ['a folder whose data are a file', (dir) => [mkdirSync(dir), writeFileSync(path.join(dir, 'v3'), '')]],
  [
    'a folder whose key is a folder',
    (dir) => mkdirSync(path.join(dir, 'key-encryption-key'), { recursive: true }),
  ],
])('%s cannot be a state, and the sentence says so', async (what, make) => {
  const dir = path.join(folder, what.replaceAll(' ', '-'))
  make(dir)
  const refused = await startInVain(dir)
  expect(refused).toMatch(/cannot hold a state|cannot be read/)
  expect(refused).toContain(dir)
  expect(refused).not.toMatch(/^\s+at /m)
  expect(existsSync(path.join(dir, 'run.json'))).toBe(false)
})

/** What a relay that ends by itself prints. */
async function startInVain(dir: string): Promise<string> {
  const refused = RelayProcess.spawn({ stateDir: dir })
  expect(await refused.exited).toEqual({ code: 1, signal: null })
  expect(refused.processes()).toEqual([])
  return refused.output
}
