import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../../support/process/free-port.ts'
import { cliStage } from './cli-stage.ts'

const stage = cliStage()

describe('what goes wrong', () => {
  test('a relay that is down', async () => {
    const { code, err } = await stage.cli.run(['status'], {
      env: { POSTHORN_URL: `http://127.0.0.1:${await freePort()}` },
    })
    expect(code).toBe(6)
    expect(err).toContain('ECONNREFUSED')
    expect(err).toContain('→ See that the relay runs')
  }, 30_000)

  test('a key that is wrong', async () => {
    const { code, err } = await stage.cli.run(['events'], { env: { POSTHORN_KEY: 'phk_wrong' } })
    expect(code).toBe(3)
    expect(err).toMatch(/request req_\w+/)
  })

  test('a key that has expired', async () => {
    const env = await stage.enter()
    const expiresAt = new Date(Date.now() + 2_000).toISOString()
    const response = await fetch(`${stage.relay.url}/api/v1/keys`, {
      method: 'POST',
      headers: {
        ...{ Authorization: `Bearer ${stage.relay.adminKey}`, 'Content-Type': 'application/json' },
        'X-Company-Id': env['POSTHORN_WORKSPACE'] ?? '',
      },
      body: JSON.stringify({ name: 'short', scopes: ['events:read'], expiresAt }),
    })
    const { data } = (await response.json()) as { data: { key: string } }
    const events = () => stage.cli.run(['events'], { env: { ...env, POSTHORN_KEY: data.key } })
    await expect.poll(async () => (await events()).code, { timeout: 20_000 }).toBe(3)
    const { err } = await events()
    expect(err).toContain('→ The key may have expired')
    expect(err).not.toContain(data.key)
  }, 30_000)

  test('Ctrl-C in the editor is left to the editor', async () => {
    const env = await stage.enter()
    await stage.cli.run(
      ['subs', 'create', '--to', stage.receiver.url('/editor'), '-t', 'a.*', '--uid', 'crm'],
      { env },
    )
    const closed = path.join(stage.cli.folder, 'closed')
    const editor = stage.cli.write(
      'waiting.sh',
      `echo 'editor is open'; while [ ! -e ${closed} ]; do sleep 0.05; done; sed -i 's/^uid:/name: Edited\\nuid:/' "$1"`,
    )
    const edit = stage.cli.start(['subs', 'edit', 'crm'], { env: { ...env, EDITOR: `sh ${editor}` } })
    await edit.said('editor is open')
    process.kill(edit.pid, 'SIGINT')
    process.kill(edit.pid, 'SIGINT')
    // By the end of another command both have arrived.
    expect((await stage.cli.run(['subs', 'get', 'crm'], { env })).code).toBe(0)
    writeFileSync(closed, '')
    expect(await edit.ended).toMatchObject({ code: 0, out: expect.stringContaining('name: none → Edited') })
  })

  test('a workspace that is none', async () => {
    const { code, err } = await stage.cli.run(['events'], { env: { POSTHORN_WORKSPACE: 'none-such' } })
    expect(code).toBe(4)
    expect(err).toContain('There is no workspace none-such')
  })

  test('a reader that has enough ends it in peace', async () => {
    const env = await stage.enter()
    const file = stage.cli.write(
      'many.ndjson',
      Array.from({ length: 300 }, (_, n) => `{"event":"a.b","data":{"n":${n}}}\n`).join(''),
    )
    expect((await stage.cli.run(['publish', '--file', file], { env })).code).toBe(0)
    const { out, err } = await stage.cli.sh(
      `posthorn events --limit 300 | head -n 1; echo "\${PIPESTATUS[@]}"`,
      env,
    )
    expect(out).toMatch(/^ID.*\n0 0\n$/)
    expect(err).toBe('')
  })

  test('a reader that has enough ends a listener, and its subscription with it', async () => {
    const env = await stage.enter()
    stage.receiver.script('/read', { status: 200, body: 'ok' })
    const subscriptions = async () => (await stage.cli.run(['subs', '--json'], { env })).out
    const forward = stage.receiver.url('/read')
    let ended: string | null = null
    const script = `posthorn listen --forward ${forward} --json | head -n 1 > one; echo "\${PIPESTATUS[@]}"`
    const listening = stage.cli.sh(script, env).then(({ out }) => {
      ended = out
    })
    await expect.poll(subscriptions, { timeout: 20_000 }).toContain('"temporary":true')
    const publishUntilEnded = async () => {
      await stage.cli.run(['publish', 'a.b'], { env })
      return ended
    }
    await expect.poll(publishUntilEnded, { timeout: 30_000 }).toBe('0 0\n')
    await listening
    expect(await subscriptions()).toBe('[]\n')
  }, 60_000)

  test('a replay that is left by Ctrl-C goes on, and can be looked at again', async () => {
    const env = await stage.enter()
    await stage.cli.run(
      ['subs', 'create', '--to', stage.receiver.url('/slow'), '-t', 'a.*', '--uid', 'slow'],
      { env },
    )
    const file = stage.cli.write(
      'replayed.ndjson',
      Array.from({ length: 40 }, (_, n) => `{"event":"a.b","data":{"n":${n}}}\n`).join(''),
    )
    const tail = stage.cli.start(['tail', '-n', '40', '--json'], { env })
    await tail.said('Listening')
    await stage.cli.run(['publish', '--file', file], { env })
    await tail.ended
    const args = ['replay', '--webhook', 'slow', '--status', 'success', '--rate', '1', '--yes']
    const replay = stage.cli.start(args, { env: { ...env, FORCE_COLOR: '' } })
    await expect
      .poll(async () => JSON.parse((await stage.cli.run(['replay', 'list', '--json'], { env })).out), {
        timeout: 20_000,
      })
      .toMatchObject([{ state: 'running' }])
    process.kill(replay.pid, 'SIGINT')
    const { code, err } = await replay.ended
    expect(code).toBe(130)
    const [, id = ''] = /posthorn replay watch (replay_\w+)/.exec(err) ?? []
    expect(err).toContain(`The replay ${id} goes on in the relay`)
    expect((await stage.cli.run(['replay', 'cancel', id], { env })).code).toBe(0)
    const watched = await stage.cli.run(['replay', 'watch', id], { env })
    expect(watched).toMatchObject({ code: 0, out: expect.stringContaining('(cancelled)') })
  })
})
