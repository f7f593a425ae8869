import { readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../../support/built-package.ts'
import { freePort } from '../../support/process/free-port.ts'
import { cliStage } from './cli-stage.ts'

const stage = cliStage()

type Subscription = { id: string; uid: string | null; health: string }
type Delivery = { id: string; status: string; eventId: string }

test('a first hour: log in, subscribe, publish, look, retry, replay', async () => {
  const env = await stage.enter()
  const config = path.join(stage.cli.folder, 'config/posthorn/config.json')
  expect(statSync(config).mode & 0o777).toBe(0o600)
  expect(readFileSync(config, 'utf8')).toContain(env['POSTHORN_WORKSPACE'])

  const at = stage.receiver.url('/first-hour')
  stage.receiver.script('/first-hour', { status: 500, body: 'no' })
  const args = ['--to', at, '--type', 'invoice.*', '--uid', 'first', '--name', 'First', '--file', '-']
  // No retry of its own may come between.
  const made = await stage.cli.run(['subscriptions', 'create', ...args], {
    env,
    stdin: 'retryPolicy: {schedule: [3600]}',
  })
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^webhook_\w+\n$/) })
  expect(made.err).toContain('whsec_')

  const tail = stage.cli.start(['tail', '--count', '1', '--json'], { env })
  await tail.said('Listening')
  const published = await stage.cli.run(['publish', 'invoice.paid', '--data', '-', '--id', 'order-1'], {
    env,
    stdin: '{"object": {"total": 2567.50}}',
  })
  expect(published).toMatchObject({ code: 0, out: 'order-1\n' })
  const { out } = await tail.ended
  const told = JSON.parse(out) as { eventId: string; status: string; deliveryId: string }
  expect(told).toMatchObject({ eventId: 'order-1', status: 'failed' })

  const list = await stage.cli.run(['deliveries', '--status', 'failed', '--json'], { env })
  expect((JSON.parse(list.out) as Delivery[]).map(({ id }) => id)).toEqual([told.deliveryId])
  const shown = await stage.cli.run(['deliveries', 'get', told.deliveryId], { env })
  expect(shown.out).toContain('500')
  expect(shown.out).toContain('"total": 2567.50')
  const event = await stage.cli.run(['events', 'get', 'order-1'], { env })
  expect(event.out).toMatch(/first-hour\s+failed/)

  stage.receiver.script('/first-hour', { status: 200, body: 'ok' })
  const again = stage.cli.start(['tail', '-n', '1', '--status', 'success'], { env })
  await again.said('Listening')
  expect(await stage.cli.run(['retry', '-'], { env, stdin: `${told.deliveryId}\n` })).toMatchObject({
    code: 0,
    out: `${told.deliveryId}\n`,
  })
  expect((await again.ended).out).toMatch(/success {2}200.*invoice\.paid → First \(attempt 2\)/)
  const twice = await stage.cli.run(['retry', told.deliveryId, 'log_none'], { env })
  expect(twice.code).toBe(5)
  expect(twice.err).toContain('This delivery has succeeded')

  const counted = await stage.cli.run(['replay', '--webhook', 'first', '--status', 'success', '--dry-run'], {
    env,
  })
  expect(counted.out).toBe('1 delivery would be made due.\n')
  const unasked = await stage.cli.run(['replay', '--webhook', 'first', '--status', 'success'], { env })
  expect(unasked.code).toBe(7)
  const replayed = await stage.cli.run(['replay', '--webhook', 'first', '--status', 'success', '--yes'], {
    env,
  })
  expect(replayed).toMatchObject({ code: 0, out: expect.stringContaining('1 delivery made due (completed)') })
  const replays = await stage.cli.run(['replay', 'list', '--json'], { env })
  expect(JSON.parse(replays.out)).toMatchObject([{ state: 'completed', replayed: 1 }])

  const status = await stage.cli.run(['status'], { env })
  expect(status.out).toContain(
    `${stage.relay.url}, as the operator in workspace ${env['POSTHORN_WORKSPACE']}`,
  )
})

test('a subscription is listed, edited in the editor, switched, given a new secret, and deleted', async () => {
  const env = await stage.enter()
  const to = stage.receiver.url('/edited')
  await stage.cli.run(['subs', 'create', '--to', to, '-t', 'a.*', '--uid', 'crm'], { env })
  const editor = stage.cli.write(
    'editor.sh',
    'sed -i "s/^events:/name: Edited\\nfilters: {data.total: {min: 5}}\\nevents:/" "$1"',
  )
  const edited = await stage.cli.run(['subscriptions', 'edit', 'crm'], {
    env: { ...env, EDITOR: `sh ${editor}` },
  })
  expect(edited).toMatchObject({ code: 0, out: expect.stringContaining('name: none → Edited') })
  const got = await stage.cli.run(['subscriptions', 'get', 'crm'], { env })
  expect(got.out).toContain('name: Edited')

  const breaking = stage.cli.write('breaking.sh', 'echo "  url: [" >> "$1"')
  const broken = await stage.cli.run(['subs', 'edit', 'crm'], { env: { ...env, EDITOR: `sh ${breaking}` } })
  expect(broken.code).toBe(2)
  expect(broken.err).toMatch(/subscription\.yaml:\d+:\d+: /)
  const [, kept = ''] = /--file (\S+)/.exec(broken.err) ?? []
  expect(readFileSync(kept, 'utf8')).toContain('name: Edited')
  rmSync(path.dirname(kept), { recursive: true })

  expect((await stage.cli.run(['subs', 'pause', 'crm'], { env })).code).toBe(0)
  const [paused] = JSON.parse((await stage.cli.run(['subs', '--json'], { env })).out) as Subscription[]
  expect(paused?.health).toBe('paused')
  for (const name of ['resume', 'disable', 'enable']) {
    expect((await stage.cli.run(['subs', name, 'crm'], { env })).code).toBe(0)
  }
  const rotated = await stage.cli.run(['subs', 'rotate', 'crm', '--overlap', '1h', '--yes'], { env })
  expect(rotated.out).toMatch(/^whsec_\S+\n$/)
  const checked = await stage.cli.run(['subs', 'check', 'crm'], { env })
  expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('answer      passed') })
  expect((await stage.cli.run(['subs', 'delete', 'crm', '--yes'], { env })).code).toBe(0)
  expect((await stage.cli.run(['subs', 'get', 'crm'], { env })).code).toBe(4)
})

test('the catalogue is imported with a preview, and its example triggered', async () => {
  const env = await stage.enter()
  const file = stage.cli.write(
    'openapi.yaml',
    `openapi: 3.1.0
info: { title: Shop, version: '1' }
webhooks:
  invoice.paid:
    post:
      summary: An invoice was paid.
      requestBody:
        content:
          application/json:
            schema: { type: object }
            example: { object: { id: inv_1 } }
`,
  )
  const preview = await stage.cli.run(['types', 'import', file, '--dry-run'], { env })
  expect(preview.out).toContain('+ invoice.paid')
  expect((await stage.cli.run(['types', 'import', file, '--yes'], { env })).code).toBe(0)
  const again = await stage.cli.run(['types', 'import', file], { env })
  expect(again).toMatchObject({ code: 0, err: expect.stringContaining('Nothing is to be done') })
  expect((await stage.cli.run(['types'], { env })).out).toContain('An invoice was paid.')
  const triggered = await stage.cli.run(['trigger', 'invoice.paid', '--json'], { env })
  expect(JSON.parse(triggered.out)).toMatchObject({ status: 'accepted' })
  expect((await stage.cli.run(['trigger', 'invoice.none'], { env })).code).toBe(4)
  const broken = stage.cli.write('broken.yaml', 'openapi: 3.1.0\nwebhooks:\n  a: [\n')
  const refused = await stage.cli.run(['types', 'import', broken], { env })
  expect(refused.code).toBe(2)
  expect(refused.err).toMatch(/broken\.yaml:\d+:\d+: /)
})

describe('a configuration', () => {
  test('goes from one workspace to another, secrets by reference, and a second run changes nothing', async () => {
    const from = await stage.enter()
    const to = stage.receiver.url('/configured')
    const settings = stage.cli.write(
      'settings.yaml',
      `uid: crm\nurl: ${to}\nevents: [invoice.*]\nsecret: env:CRM_SECRET\n` +
        'filters: {data.total: {min: 5}}\nheaders: {X-Api-Key: env:CRM_KEY}\nbatchSettings: {maxEvents: 10}\n',
    )
    const secrets = { CRM_SECRET: 'a-long-enough-secret-1', CRM_KEY: 'k-1' }
    const made = await stage.cli.run(['subs', 'create', '--file', settings], { env: { ...from, ...secrets } })
    expect(made).toMatchObject({ code: 0 })
    const exported = await stage.cli.run(['export'], { env: from })
    expect(exported.code).toBe(0)
    expect(exported.out).not.toMatch(/a-long-enough|k-1/)

    const same = stage.cli.write('same.yaml', exported.out)
    const unchanged = await stage.cli.run(['apply', same, '--dry-run', '--exit-code'], { env: from })
    expect(unchanged).toMatchObject({ code: 0, out: 'The workspace is as the file says.\n' })

    const into = await stage.enter()
    const file = stage.cli.write(
      'posthorn.yaml',
      exported.out
        .replace("'********'", 'env:CRM_KEY')
        .replace('"********"', 'env:CRM_KEY')
        .replace('********\n', 'env:CRM_KEY\n'),
    )
    const unset = await stage.cli.run(['apply', file, '--yes'], { env: into })
    expect(unset).toMatchObject({ code: 2, err: expect.stringContaining('CRM_KEY') })
    const applied = await stage.cli.run(['apply', file, '--yes'], { env: { ...into, ...secrets } })
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('+ subscription crm') })
    const second = await stage.cli.run(['apply', file], { env: { ...into, ...secrets } })
    expect(second).toMatchObject({ code: 0, out: 'The workspace is as the file says.\n' })

    await stage.cli.run(['subs', 'create', '--to', to, '-t', 'b.*', '--uid', 'other'], { env: into })
    const left = await stage.cli.run(['apply', file], { env: { ...into, ...secrets } })
    expect(left.out).toContain('subscription other')
    const pruned = await stage.cli.run(['apply', file, '--prune', '--yes'], { env: { ...into, ...secrets } })
    expect(pruned.out).toContain('- subscription other')
    expect((await stage.cli.run(['subs', 'get', 'other'], { env: into })).code).toBe(4)
  })

  test('that is refused in the middle says what was done, and a second run finishes', async () => {
    const env = await stage.enter()
    const text = (url: string) => `version: 1
workspace: { retentionDays: 30 }
subscriptions:
  - uid: first
    url: ${stage.receiver.url('/a')}
    events: [a.b]
  - uid: second
    url: ${url}
    events: [a.b]
  - uid: third
    url: ${stage.receiver.url('/c')}
    events: [a.b]
`
    const stopped = await stage.cli.run(
      ['apply', stage.cli.write('half.yaml', text('ftp://nowhere')), '--yes'],
      { env },
    )
    expect(stopped.code).toBe(1)
    expect(stopped.err).toMatch(/half\.yaml:8:5: subscription second: url/)
    expect(stopped.err).toContain('Done: workspace')
    expect(stopped.err).toContain('Not done: subscription second, subscription third')
    const finished = await stage.cli.run(
      ['apply', stage.cli.write('half.yaml', text(stage.receiver.url('/b'))), '--yes', '--json'],
      { env },
    )
    expect(JSON.parse(finished.out)).toMatchObject({
      done: [{ label: 'subscription second' }, { label: 'subscription third' }],
    })
  })

  test('with mistakes is refused with their places, before the relay is asked', async () => {
    const file = stage.cli.write(
      'wrong.yaml',
      'version: 1\nsubscriptions:\n  - url: https://example.com\n    evnts: [a]\n',
    )
    const { code, err } = await stage.cli.run(['apply', file], {
      env: { POSTHORN_URL: 'http://127.0.0.1:9' },
    })
    expect(code).toBe(2)
    expect(err).toContain('wrong.yaml:4:5: evnts is not known here')
    expect(err).toContain('wrong.yaml:3:5: a subscription needs a uid')
  })
})

test('listen brings deliveries to a server of this machine, whose answer is that of the attempt', async () => {
  const env = await stage.enter()
  stage.receiver.script('/local', { status: 500, body: 'not now' })
  const listen = stage.cli.start(
    ['listen', '--forward', stage.receiver.url('/local'), '--type', 'order.*', '--json'],
    { env },
  )
  await listen.said('Ctrl-C ends it')
  expect((await stage.cli.run(['publish', 'order.created', '--id', 'o-1'], { env })).code).toBe(0)
  await listen.said('"status":500')
  const deliveries = async () =>
    JSON.parse((await stage.cli.run(['deliveries', '--json'], { env })).out) as Delivery[]
  await expect
    .poll(deliveries, { timeout: 20_000 })
    .toMatchObject([{ eventId: 'o-1', status: 'failed', responseCode: 500, responseBody: 'not now' }])
  const exported = await stage.cli.run(['export', '--json'], { env })
  expect(JSON.parse(exported.out)).toMatchObject({ subscriptions: [] })
  process.kill(listen.pid, 'SIGINT')
  const { code, out, err } = await listen.ended
  expect({ code, sent: JSON.parse(out.split('\n')[0] ?? '') }).toMatchObject({
    code: 0,
    sent: { status: 500 },
  })
  expect(err).toContain('Signed with whsec_')
  expect((await stage.cli.run(['subs', '--json'], { env })).out).toBe('[]\n')
})

test('the doctor says why a request is refused', async () => {
  const env = await stage.enter()
  const request = stage.cli.write(
    'request.txt',
    'POST /hooks HTTP/1.1\nwebhook-id: evt_1\nwebhook-timestamp: 1767607200\n\n{}',
  )
  const { code, out } = await stage.cli.run(['verify', '--request', request, '--json'], { env })
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ verified: false, failed: 'headers', cause: 'missing_header' })
})

test('dev starts a relay, where commands go from then on, until Ctrl-C', async () => {
  const port = await freePort()
  const own = { XDG_CONFIG_HOME: path.join(stage.cli.folder, 'dev'), POSTHORN_URL: '', POSTHORN_KEY: '' }
  const state = path.join(stage.cli.folder, 'dev-state')
  const args = ['dev', '--port', String(port), '--state', state, '--relay', ROOT]
  const dev = stage.cli.start(args, { env: { ...own, ADMIN_KEY: 'a_key_of_its_own' } })
  await dev.said('Admin key')
  const { out } = await stage.cli.run(['status'], { env: own })
  expect(out).toContain(`http://127.0.0.1:${port}, as the operator`)
  process.kill(dev.pid, 'SIGINT')
  expect((await dev.ended).code).toBe(0)
  const elsewhere = await stage.cli.run(['dev', '--relay', stage.cli.folder], { env: own })
  expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining('npm ci') })
})

test.each(['bash', 'zsh', 'fish'])('completion for %s knows commands and options', async (name) => {
  const { code, out } = await stage.cli.run(['completion', name])
  expect(code).toBe(0)
  for (const word of ['subscriptions', 'rotate', '--dry-run']) expect(out).toContain(word)
})

test('completion in bash offers what fits', async () => {
  const script = `source <(posthorn completion bash); COMP_WORDS=(posthorn subs ro); COMP_CWORD=2; _posthorn; echo "\${COMPREPLY[@]}"`
  expect((await stage.cli.sh(script)).out).toBe('rotate\n')
})
