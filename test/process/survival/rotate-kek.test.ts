import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'
import { RelayApi } from '../support/relay-api.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const SECRET = 'the-secret-of-before-the-change'
const stateDir = path.join(mkdtempSync(path.join(tmpdir(), 'posthorn-rotate-')), 'state')
const keyFile = path.join(stateDir, 'key-encryption-key')
const previousFile = `${keyFile}.previous`
const readKey = () => readFileSync(keyFile, 'utf8')

let relay: RelayProcess
let webhookId: string
let oldKey: string

beforeAll(async () => {
  relay = await RelayProcess.start({ stateDir })
  const created = await new RelayApi(relay, 'kept').subscribe({
    url: 'http://127.0.0.1:9/hooks',
    secret: SECRET,
  })
  webhookId = created.id
  await relay.stop()
  oldKey = readKey()
})

afterAll(async () => {
  await relay?.kill9()
  rmSync(path.dirname(stateDir), { recursive: true, force: true })
})

function rotate(): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['scripts/tasks/rotate-kek.ts'], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, STATE_DIR: stateDir },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, output: () => output }
}

it('killed once the other key is made, it goes on with that one when it is run again, and removes the key before', async () => {
  const killed = rotate()
  await waitUntil(() => existsSync(previousFile) && readKey() !== oldKey, 30_000)
  process.kill(-(killed.child.pid ?? 0), 'SIGKILL')
  await once(killed.child, 'close')
  const newKey = readKey()
  expect(readFileSync(previousFile, 'utf8')).toBe(oldKey)
  const again = rotate()
  const [code] = (await once(again.child, 'close')) as [number | null]
  expect(code, again.output()).toBe(0)
  expect(again.output()).toMatch(
    /sealed under the key [0-9a-f]{8}; 1 sealed anew\.\nThe key before has been removed\./,
  )
  expect([readKey(), existsSync(previousFile)]).toEqual([newKey, false])
})

it('a relay then opens what was sealed under the key before', async () => {
  relay = await RelayProcess.start({ stateDir })
  const { text } = await new RelayApi(relay, 'kept').call('GET', `/webhooks/${webhookId}/secret`)
  expect(text).toContain(SECRET)
})

it('a state that a relay runs on keeps its key', async () => {
  const key = readKey()
  const refused = rotate()
  const [code] = (await once(refused.child, 'close')) as [number | null]
  expect([code, readKey()]).toEqual([1, key])
  expect(refused.output()).toContain('is running on')
})
