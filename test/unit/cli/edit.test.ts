import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ok, StubRelay } from '../client/stub-relay.ts'
import { StubShell } from './stub-shell.ts'

const SHOWN = {
  ...{ id: 'webhook_1', uid: 'crm', url: 'https://example.com/hooks', events: ['a.*'], secret: '********' },
  ...{ description: 'env:POSTHORN_KEY', metadata: {}, profile: 'standard', conditionLogic: 'AND' },
  ...{ headers: { 'X-Api-Key': '********' }, timeoutSeconds: 10, asymmetric: false, ordered: false },
  ...{ onExhausted: 'block', updatedAt: 't1' },
}

let relay: StubRelay
let shell: StubShell
beforeEach(async () => {
  relay = await StubRelay.start(() => ok(SHOWN))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await relay.close()
  shell.remove()
})

/** Edits with a command that gets the file as its argument; its temporary files are in the shell's folder. */
async function edit(editor: string) {
  shell = new StubShell({
    env: { POSTHORN_URL: relay.url, POSTHORN_KEY: 'phk_1', CRM_KEY: 'k-1', EDITOR: editor },
  })
  vi.stubEnv('TMPDIR', shell.folder)
  return await shell.run('subscriptions', 'edit', 'crm')
}

const keptOf = () => readdirSync(shell.folder).filter((name) => name.startsWith('posthorn-edit-'))
const writesOf = () => relay.seen.filter(({ method }) => method !== 'GET').map(({ body }) => JSON.parse(body))

test('sends what has changed, and no variable for a text of the relay that looks like a reference', async () => {
  const { code } = await edit("sed -i 's/^uid:/name: Mine\\nuid:/'")
  expect(code).toBe(0)
  expect(writesOf()).toEqual([{ name: 'Mine' }])
  expect(keptOf()).toEqual([])
})

test('shows a change as the relay does, without what a reference stands for', async () => {
  const { code, out } = await edit("sed -i 's/X-Api-Key: .*/X-Api-Key: env:CRM_KEY/'")
  expect(code).toBe(0)
  expect(writesOf()).toEqual([{ headers: { 'X-Api-Key': 'k-1' } }])
  expect(out).toContain('headers: ')
  expect(out).not.toContain('k-1')
})

test.each([
  ['an empty file', 'sed -i d', 0],
  ['an editor that fails', 'false', 2],
  ['an editor that is not there', 'no-such-editor', 2],
  ['no change', 'true', 0],
])('%s changes nothing, and leaves no file', async (_, editor, code) => {
  expect((await edit(editor)).code).toBe(code)
  expect(writesOf()).toEqual([])
  expect(keptOf()).toEqual([])
})

test('a text with a mistake is kept', async () => {
  expect((await edit('sh -c \'echo "  url: [" >> "$1"\' edit')).code).toBe(2)
  expect(keptOf().length).toBe(1)
})
