import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ok, refused, type Seen, type StubAnswer, StubRelay } from '../client/stub-relay.ts'
import { StubShell } from './stub-shell.ts'

let relay: StubRelay
let shell: StubShell
afterEach(async () => {
  await relay?.close()
  shell?.remove()
})

const FILE = `version: 1
subscriptions:
  - { uid: one, url: 'https://example.com/1', events: [a] }
  - { uid: two, url: 'https://example.com/2', events: [a] }
  - { uid: three, url: 'https://example.com/3', events: [a] }
`

/** Applies the file at a workspace that has nothing, or what `has` says. */
async function apply(
  onWrite: (seen: Seen, no: number) => StubAnswer,
  { has = [], args = ['--yes'] }: { has?: object[]; args?: string[] } = {},
) {
  let writes = 0
  relay = await StubRelay.start((seen) => {
    if (seen.method !== 'GET') return onWrite(seen, ++writes)
    if (seen.path.includes('session')) return ok({ workspaceId: 'acme' })
    if (seen.path.includes('webhooks/')) return ok({ updatedAt: 't2' })
    if (seen.path.includes('webhooks')) return ok(has, null)
    return seen.path.includes('workspaces') ? refused(403, 'forbidden') : ok([], null)
  })
  shell = new StubShell({ env: { POSTHORN_URL: relay.url, POSTHORN_KEY: 'phk_1' } })
  const file = path.join(shell.folder, 'posthorn.yaml')
  writeFileSync(file, FILE)
  return await shell.run('apply', file, ...args)
}

const created = () => ok({ id: 'webhook_1', secret: '********' })
const writesOf = () => relay.seen.filter(({ method }) => method !== 'GET')

test('asks before the first change, and without anybody to ask makes none', async () => {
  const { code, out, err } = await apply(created, { args: [] })
  expect(code).toBe(7)
  expect(out).toContain('+ subscription one')
  expect(err).toContain('Make 3 changes in acme?')
  expect(writesOf()).toEqual([])
})

test('a conflict in the middle names what was done and what was not', async () => {
  const { code, err } = await apply((_, no) => (no === 2 ? refused(409, 'conflict') : created()))
  expect(code).toBe(5)
  expect(err).toMatch(/posthorn\.yaml:4:5: subscription two: refused as conflict/)
  expect(err).toContain('Done: subscription one\n')
  expect(err).toContain('Not done: subscription two, subscription three')
  expect(err).toContain('→ Run the command again')
})

test('Ctrl-C in the middle finishes the call in hand, and says what is left', async () => {
  const { code, err } = await apply((_, no) => {
    if (no === 2) shell.interrupt()
    return created()
  })
  expect(code).toBe(130)
  expect(err).toContain('Done: subscription one, subscription two\n')
  expect(err).toContain('Not done: subscription three')
  expect(writesOf().length).toBe(2)
})

test('a subscription that another has changed since is not overwritten', async () => {
  const has = [{ id: 'webhook_1', uid: 'one', url: 'https://example.com/1', events: ['b'], updatedAt: 't1' }]
  const { code, err } = await apply(created, { has })
  expect(code).toBe(5)
  expect(err).toContain('was changed by another since it was compared')
  expect(writesOf()).toEqual([])
})

test('--exit-code says in a number that they differ', async () => {
  expect(await apply(created, { args: ['--dry-run', '--exit-code', '--json'] })).toMatchObject({ code: 9 })
  expect(writesOf()).toEqual([])
})
