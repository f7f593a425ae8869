import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ok, type Seen, type StubAnswer, StubRelay } from '../client/stub-relay.ts'
import { StubShell } from './stub-shell.ts'

let relay: StubRelay
let shell: StubShell
afterEach(async () => {
  await relay?.close()
  shell?.remove()
})

async function begin(
  answer: (seen: Seen, no: number) => StubAnswer | Promise<StubAnswer>,
  options: ConstructorParameters<typeof StubShell>[0] = {},
): Promise<void> {
  relay = await StubRelay.start(answer)
  shell = new StubShell({ ...options, env: { POSTHORN_URL: relay.url, POSTHORN_KEY: 'phk_1' } })
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

test('Ctrl-C while types are imported says that they may be there, and that a second run is safe', async () => {
  const done = { dryRun: false, created: ['a.b'], updated: [], unchanged: [], skipped: [], warnings: [] }
  await begin(async ({ path: at }) => {
    if (at.includes('dryRun=true')) return ok({ ...done, dryRun: true })
    shell.interrupt()
    await later(20)
    return ok(done)
  })
  const file = path.join(shell.folder, 'types.yaml')
  writeFileSync(file, 'eventTypes:\n  - name: a.b\n')
  const { code, out, err } = await shell.run('types', 'import', file, '--yes')
  expect(code).toBe(130)
  expect(out).toContain('+ a.b')
  expect(err).toContain('it may be done all the same')
  expect(err).toContain('→ Run it again')
})

test.each([
  ['publish', ['publish', 'a.b'], '→ posthorn events shows if it is there.'],
  ['create', ['subs', 'create', '--to', 'https://a', '-t', 'a'], '→ posthorn subscriptions shows'],
  ['pause', ['subs', 'pause', 'crm'], '→ Run it again'],
])('Ctrl-C during %s says that it may be done, and how to find out', async (_, args, next) => {
  await begin(async () => {
    shell.interrupt()
    await later(20)
    return ok({})
  })
  const { code, err } = await shell.run(...args)
  expect(code).toBe(130)
  expect(err).toContain('it may be done all the same')
  expect(err).toContain(next)
})

test('Ctrl-C at a question does nothing', async () => {
  await begin(() => ok({ id: 'webhook_1', name: null, url: 'https://example.com' }), { answers: [] })
  const { code, err } = await shell.run('subscriptions', 'delete', 'crm')
  expect({ code, err }).toEqual({ code: 130, err: 'Error: Stopped.\n' })
  expect(relay.seen.map(({ method }) => method)).toEqual(['GET'])
})

test('a no does nothing', async () => {
  await begin(() => ok({ id: 'webhook_1', name: null, url: 'https://example.com' }), { answers: [false] })
  expect(await shell.run('subscriptions', 'delete', 'crm')).toMatchObject({
    code: 7,
    err: 'Error: Nothing was done.\n',
  })
  expect(relay.seen.map(({ method }) => method)).toEqual(['GET'])
})

test('Ctrl-C among many retries finishes the one in hand, and names where it stopped', async () => {
  await begin(
    ({ path: at }, no) => {
      if (no === 2) shell.interrupt()
      return ok({ id: at.split('/').at(-2) })
    },
    { stdin: 'log_1\nlog_2\nlog_3\n' },
  )
  const { code, out, err } = await shell.run('retry', '-')
  expect({ code, out }).toEqual({ code: 130, out: 'log_1\nlog_2\n' })
  expect(err).toContain('2 are retried, 1 are not: log_3 and those after it')
})

test('a relay that takes long is told to be waited for, on standard error alone', async () => {
  await begin(
    async () => {
      await later(2_300)
      return ok([], null)
    },
    { columns: 60 },
  )
  const { out, err } = await shell.run('replay', 'list')
  expect(out).toBe('')
  expect(err).toContain(`Waiting for ${relay.url}`)
  expect(err.split('\r\x1b[K').at(-1)).toBe('There are no replays.\n')
})

test('a replay shows a bar of what was counted', async () => {
  const replay = { id: 'replay_1', webhookId: 'webhook_1', eventId: null, state: 'running', error: null }
  await begin(
    async ({ method, body }, no) => {
      if (body.includes('dryRun')) return ok({ dryRun: true, count: 4 })
      const isOver = method === 'GET' && no > 4
      return ok({ ...replay, examined: 4, replayed: isOver ? 4 : 2, state: isOver ? 'completed' : 'running' })
    },
    { columns: 100, answers: [true] },
  )
  const { code, out, err } = await shell.run('replay', '--webhook', 'crm')
  expect(code).toBe(0)
  expect(shell.asked).toEqual(['Make 4 deliveries to crm due again?'])
  expect(err).toContain(`${'█'.repeat(12)}${'░'.repeat(12)} 2 of 4 made due`)
  expect(out).toBe(
    '4 deliveries made due (completed). What comes of them: posthorn deliveries --webhook webhook_1\n',
  )
})
