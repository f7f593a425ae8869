import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Journal, ok, refused, type Seen, type StubAnswer, StubRelay } from '../client/stub-relay.ts'
import { StubShell } from './stub-shell.ts'

let relay: StubRelay
let shell: StubShell
afterEach(async () => {
  await relay?.close()
  shell?.remove()
})

type ShellOptions = ConstructorParameters<typeof StubShell>[0]

async function begin(
  answer: (seen: Seen, no: number) => StubAnswer | null,
  options: ShellOptions = {},
): Promise<StubShell> {
  relay = await StubRelay.start(answer)
  shell = new StubShell({
    ...options,
    env: { POSTHORN_URL: relay.url, POSTHORN_KEY: 'phk_1', ...options.env },
  })
  return shell
}

const published = (id = 'evt_1', matched = 1) => ok({ events: [{ id, status: 'accepted', matched }] })

describe('publish', () => {
  test('sends the data as it stands, and prints the id', async () => {
    await begin(() => published())
    const data = '{"total": 2567.50, "n": 12345678901234567890}'
    const { code, out, err } = await shell.run('publish', 'invoice.paid', '--data', data, '--test')
    expect({ code, out }).toEqual({ code: 0, out: 'evt_1\n' })
    expect(err).toContain('for 1 subscription')
    expect(relay.seen[0]?.body).toBe(`{"events":[{"event":"invoice.paid","livemode":false,"data":${data}}]}`)
  })

  test('takes data of a file and of standard input', async () => {
    await begin(() => published(), { stdin: '{"from": "stdin"}' })
    const file = path.join(shell.folder, 'data.json')
    writeFileSync(file, '{"from": "file"}')
    await shell.run('publish', 'a.b', '--data', `@${file}`)
    await shell.run('publish', 'a.b', '--data', '-')
    expect(relay.seen.map(({ body }) => /"data":(.*)\}\]/.exec(body)?.[1])).toEqual([
      '{"from": "file"}',
      '{"from": "stdin"}',
    ])
  })

  test.each([
    ['a file that is not there', ['a.b', '--data', '@/nowhere.json'], 'there is no such file'],
    ['a folder', ['a.b', '--data', '@/'], 'it is a folder'],
    ['what is no JSON', ['a.b', '--data', '{"a":\n 1,}'], 'line 2, column 4'],
    ['a list', ['a.b', '--data', '[]'], 'must be a JSON object'],
    ['no type', [], 'The event type is missing'],
    ['an unknown option', ['a.b', '--dat', '{}'], 'Did you mean --data?'],
    ['standard input that is a terminal', ['a.b', '--data', '-'], 'is the terminal'],
  ])('refuses %s before it asks the relay', async (_, args, words) => {
    await begin(() => published())
    const { code, err } = await shell.run('publish', ...args)
    expect(code).toBe(2)
    expect(err).toContain(words)
    expect(relay.seen).toEqual([])
  })

  test('of a file that was stopped is finished by a second run, and publishes nothing twice', async () => {
    const journal = new Journal()
    await begin((seen, no) => (no === 3 ? refused(401, 'unauthorized') : journal.publish(seen)))
    const file = path.join(shell.folder, 'events.ndjson')
    writeFileSync(file, Array.from({ length: 600 }, (_, n) => `{"event":"a.b","data":{"n":${n}}}\n`).join(''))
    const stopped = await shell.run('publish', '--file', file)
    expect(stopped.code).toBe(3)
    expect(stopped.err).toContain('The first 500 of 600 events are published')
    expect(stopped.err).toContain('Run the same command again')
    const finished = await shell.run('publish', '--file', file, '--json')
    expect(JSON.parse(finished.out)).toEqual({ accepted: 100, duplicates: 500, rejected: [] })
    expect(journal.accepted.length).toBe(600)
  })

  test('of a file stops at Ctrl-C, and says how far it is', async () => {
    const journal = new Journal()
    await begin((seen, no) => {
      if (no === 2) shell.interrupt()
      return journal.publish(seen)
    })
    const file = path.join(shell.folder, 'events.json')
    writeFileSync(
      file,
      JSON.stringify(Array.from({ length: 600 }, (_, n) => ({ event: 'a.b', data: { n } }))),
    )
    const { code, err } = await shell.run('publish', '--file', file)
    expect(code).toBe(130)
    expect(err).toContain('The first 250 of 600 events are published; of the next 250 some may be.')
  })

  test('names the events of a file that are refused', async () => {
    const error = { code: 'invalid_request', message: 'event: must be an event type', details: [] }
    await begin(() =>
      ok({
        events: [
          { id: 'e1', status: 'accepted', matched: 0 },
          { status: 'rejected', error },
        ],
      }),
    )
    const { code, out, err } = await shell.run('publish', '--file', 'examples.ndjson')
    expect(code).toBe(2)
    expect(out + err).toContain('examples.ndjson cannot be read')
    const file = path.join(shell.folder, 'two.ndjson')
    writeFileSync(file, '{"event":"a.b","data":{}}\n{"event":"a..b","data":{}}\n')
    const ended = await shell.run('publish', '--file', file)
    expect(ended.code).toBe(8)
    expect(ended.err).toContain('event 2: event: must be an event type')
  })

  test('names the line of a file that is no JSON', async () => {
    await begin(() => published())
    const file = path.join(shell.folder, 'broken.ndjson')
    writeFileSync(file, '{"event":"a.b","data":{}}\n{"event":"a.b",}\n')
    const { code, err } = await shell.run('publish', '--file', file)
    expect(code).toBe(2)
    expect(err).toContain('line 2,')
  })
})

const EVENT = {
  ...{ id: 'evt_1', event: 'invoice.paid', acceptedAt: '2026-01-01T00:00:00.000Z', matched: 1, test: false },
  ...{ dispatched: false, deliverAt: null, expiresAfterSeconds: null, cancelledAt: null, erasedAt: null },
}

describe('a list', () => {
  test('follows cursors as far as it is asked for', async () => {
    const page = (no: number) => ok([{ ...EVENT, id: `evt_${no}` }], no < 3 ? `c${no}` : null)
    await begin((_, no) => page(no))
    const { out } = await shell.run('events', '--limit', '2', '--type', 'invoice.*', '--json')
    expect((JSON.parse(out) as { id: string }[]).map(({ id }) => id)).toEqual(['evt_1', 'evt_2'])
    expect(relay.seen.map(({ path: at }) => at)).toEqual([
      '/api/v1/events?event=invoice.*&limit=2',
      '/api/v1/events?event=invoice.*&limit=2&cursor=c1',
    ])
  })

  test('says on standard error that there is nothing, and what to do', async () => {
    await begin(() => ok([], null))
    expect(await shell.run('events')).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('No such'),
    })
    expect((await shell.run('events', '--path', 'data.id')).code).toBe(2)
  })

  test('of deliveries takes all its filters', async () => {
    await begin(() => ok([], null))
    const filters = [
      '--status',
      'failed',
      '--code',
      '5xx',
      '--webhook',
      'w',
      '--blocked',
      '--since',
      '2026-01-01',
    ]
    await shell.run('deliveries', ...filters)
    expect(relay.seen[0]?.path).toBe(
      '/api/v1/deliveries?status=failed&webhook=w&responseCode=5xx&dateFrom=2026-01-01&blocked=true&limit=20',
    )
  })
})

test('erasing asks, and without anybody to ask does nothing', async () => {
  const answer = () => ok({ ...EVENT, payload: '{}' })
  await begin(answer)
  const unasked = await shell.run('events', 'erase', 'evt_1')
  expect(unasked.code).toBe(7)
  expect(unasked.err).toContain('add --yes')
  expect(relay.seen.map(({ method }) => method)).toEqual(['GET'])
  expect((await shell.run('events', 'erase', 'evt_1', '--yes')).code).toBe(0)
  expect(relay.seen.at(-1)?.method).toBe('DELETE')
})

describe('help', () => {
  test('of everything fits 80 columns, names each command and shows examples', async () => {
    shell = new StubShell({ columns: 80 })
    const { code, out } = await shell.run('--help')
    expect(code).toBe(0)
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const name of ['login', 'status', 'publish', 'events', 'deliveries'])
      expect(out).toContain(`  ${name}`)
  })

  test('of a command has examples, and options that all have', async () => {
    shell = new StubShell()
    const { out } = await shell.run('publish', '--help')
    expect(out).toContain('$ posthorn publish invoice.paid')
    expect(out).toContain('--json')
  })

  test('is shown where no command is given, and is no success', async () => {
    shell = new StubShell()
    expect((await shell.run()).code).toBe(2)
    const { code, err } = await shell.run('pubish')
    expect(code).toBe(2)
    expect(err).toContain('Did you mean publish?')
  })
})

test('what answers at a wrong url does not control the terminal', async () => {
  await begin(() => ({ status: 404, text: '\x1b[2J\x1b]0;evil\x07' }))
  const { code, err } = await shell.run('events')
  expect(code).toBe(6)
  expect(err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})

test('a list of subscriptions says that there may be more', async () => {
  const many = Array.from({ length: 50 }, (_, n) => ({ id: `webhook_${n}` }))
  await begin(() => ok(many, 'c1'))
  expect((await shell.run('subscriptions', '--json')).err).toContain('--limit 1000 shows more')
  expect((await shell.run('subscriptions', '--json', '--limit', '50')).err).toBe('')
})

test.each([
  ['an expired key', refused(401, 'unauthorized'), 3, 'posthorn login'],
  ['a key that may not', refused(403, 'forbidden'), 3, 'posthorn status'],
  ['a workspace being deleted', refused(410, 'gone'), 4, '--workspace'],
  ['a conflict', refused(409, 'conflict'), 5, 'refused as conflict'],
  ['a page of something else', { status: 404, text: '<html>' }, 6, 'posthorn login --url'],
])('%s is told with what to do', async (_, answer, code, words) => {
  await begin(() => answer)
  const ended = await shell.run('publish', 'a.b')
  expect(ended.code).toBe(code)
  expect(ended.err).toContain(words)
})
