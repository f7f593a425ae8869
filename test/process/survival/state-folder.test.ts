import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RelayProcess } from '../../support/process/relay-process.ts'

const stateDir = path.join(mkdtempSync(path.join(tmpdir(), 'posthorn-state-')), 'state')
const keyFile = path.join(stateDir, 'key-encryption-key')
let relay: RelayProcess

beforeAll(async () => {
  relay = await RelayProcess.start({ stateDir })
})

afterAll(async () => {
  await relay?.kill9()
  rmSync(path.dirname(stateDir), { recursive: true, force: true })
})

it('is for its own user alone, and its banner does not show a key of one’s own', () => {
  const mode = (name: string) => statSync(path.join(stateDir, name)).mode & 0o777
  expect(['.', 'v3', 'key-encryption-key', 'run.json'].map(mode)).toEqual([0o700, 0o700, 0o600, 0o600])
  expect(relay.output).toContain('Authorization: Bearer $ADMIN_KEY')
  expect(relay.output).not.toContain(relay.adminKey)
})

describe('without the key that its secrets were sealed with, a relay does not start', () => {
  let key: string
  beforeAll(async () => {
    key = readFileSync(keyFile, 'utf8')
    await relay.stop()
  })

  it.each<[string, () => void, string]>([
    ['lost', () => rmSync(keyFile), `${keyFile} is gone.`],
    ['empty', () => writeFileSync(keyFile, ''), `${keyFile} holds no key`],
    ['garbled', () => writeFileSync(keyFile, key.slice(0, 20)), `${keyFile} holds no key`],
    ['replaced', () => writeFileSync(keyFile, btoa('0123456789abcdef0123456789abcdef')), 'is not the key'],
  ])('%s', async (_, change, sentence) => {
    change()
    const refused = RelayProcess.spawn({ stateDir })
    expect(await refused.exited).toEqual({ code: 1, signal: null })
    expect(refused.output).toContain(sentence)
    expect(refused.output).not.toContain('Posthorn   http')
    expect(refused.processes()).toEqual([])
  })

  it('and starts again when the key is back', async () => {
    writeFileSync(keyFile, key)
    relay = await RelayProcess.start({ stateDir })
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
  })
})
