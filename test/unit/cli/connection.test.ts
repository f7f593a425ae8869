import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { mergeConnection } from '../../../packages/cli/src/connection/connection.ts'
import { profilesPath } from '../../../packages/cli/src/connection/profile-file.ts'
import { ok, refused, StubRelay } from '../client/stub-relay.ts'
import { StubShell } from './stub-shell.ts'

const SESSION = {
  ...{ kind: 'key', actor: 'key ci', workspaceId: 'acme', scopes: ['events:read'] },
  ...{ key: { id: 'key_1', name: 'ci' }, expiresAt: null, portal: null, webhooks: null, limits: [] },
}

let relay: StubRelay
let shell: StubShell
afterEach(async () => {
  await relay?.close()
  shell?.remove()
})

const fileOf = () => path.join(shell.folder, 'posthorn/config.json')

describe('where a command goes', () => {
  const profile = { url: 'https://one.example.com/', key: 'phk_one', workspace: 'acme' }

  test('is said by its options, then by the environment, then by the login', () => {
    const env = { POSTHORN_KEY: 'phk_env', POSTHORN_WORKSPACE: 'env' }
    expect(mergeConnection({}, {}, profile)).toEqual({ ...profile, isNamedHere: false })
    expect(mergeConnection(env, {}, profile)).toMatchObject({ key: 'phk_env', workspace: 'env' })
    expect(mergeConnection(env, { workspace: 'flag' }, profile)).toMatchObject({
      workspace: 'flag',
      isNamedHere: true,
    })
  })

  test('never has the key of a login that was to another relay', () => {
    expect(() => mergeConnection({}, { url: 'https://two.example.com' }, profile)).toThrow('No key is known')
    expect(mergeConnection({}, { url: 'https://one.example.com' }, profile).key).toBe('phk_one')
  })

  test('is the folder that XDG names, or .config', () => {
    expect(profilesPath({ XDG_CONFIG_HOME: '/x' })).toBe('/x/posthorn/config.json')
    expect(path.isAbsolute(profilesPath({ HOME: '' }))).toBe(true)
    expect(profilesPath({ HOME: '/home/me' })).toBe('/home/me/.config/posthorn/config.json')
  })
})

describe('a login', () => {
  test('tries the key, and keeps it for its user alone', async () => {
    relay = await StubRelay.start(() => ok(SESSION))
    shell = new StubShell({ stdin: 'phk_secret\n' })
    const { code, out, err } = await shell.run('login', '--url', relay.url)
    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(err).toContain('as "ci" in workspace acme')
    expect(err).not.toContain('phk_secret')
    expect(statSync(fileOf()).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(fileOf(), 'utf8'))).toEqual({
      profiles: { default: { url: relay.url, key: 'phk_secret', workspace: null } },
    })
  })

  test('writes the key to no file that another has put there', async () => {
    relay = await StubRelay.start(() => ok(SESSION))
    shell = new StubShell({ stdin: 'phk_secret' })
    const other = path.join(shell.folder, 'other')
    writeFileSync(other, '')
    mkdirSync(path.dirname(fileOf()))
    symlinkSync(other, `${fileOf()}.${process.pid}`)
    expect((await shell.run('login', '--url', relay.url)).code).toBe(0)
    expect(readFileSync(other, 'utf8')).toBe('')
    expect(readFileSync(fileOf(), 'utf8')).toContain('phk_secret')
  })

  test('counts for what follows, until a logout', async () => {
    relay = await StubRelay.start(({ path: at }) => ok(at.includes('session') ? SESSION : []))
    shell = new StubShell({ stdin: 'phk_secret' })
    await shell.run('login', '--url', relay.url, '--profile', 'staging')
    expect(await shell.run('events', '--json', '--profile', 'staging')).toMatchObject({
      code: 0,
      out: '[]\n',
    })
    expect(relay.seen.at(-1)?.headers['authorization']).toBe('Bearer phk_secret')
    expect((await shell.run('logout', '--profile', 'staging')).code).toBe(0)
    expect((await shell.run('events', '--profile', 'staging')).code).toBe(3)
  })

  test('keeps nothing where the relay refuses the key', async () => {
    relay = await StubRelay.start(() => refused(401, 'unauthorized'))
    shell = new StubShell({ stdin: 'phk_expired' })
    const { code, err } = await shell.run('login', '--url', relay.url)
    expect(code).toBe(3)
    expect(err).toContain('→ The key may have expired')
    expect(() => statSync(fileOf())).toThrow('ENOENT')
  })

  test('asks at a terminal', async () => {
    relay = await StubRelay.start(() => ok(SESSION))
    shell = new StubShell({ answers: [relay.url, 'phk_typed'] })
    expect((await shell.run('login')).code).toBe(0)
    expect(shell.asked).toEqual(['Url of the relay', 'Key'])
  })

  test('that cannot be read says how to mend it', async () => {
    relay = await StubRelay.start(() => ok(SESSION))
    shell = new StubShell({ stdin: 'phk_secret' })
    await shell.run('login', '--url', relay.url)
    writeFileSync(fileOf(), '{')
    const { code, err } = await shell.run('status')
    expect(code).toBe(2)
    expect(err).toContain('is no file of this command')
  })
})

describe('what cannot work says so', () => {
  test.each([
    ['nobody has logged in', {}, 3, 'posthorn login'],
    ['a url that is none', { POSTHORN_URL: 'hooks', POSTHORN_KEY: 'k' }, 2, '"hooks"'],
    [
      'a workspace that cannot be one',
      { POSTHORN_URL: 'http://127.0.0.1:9', POSTHORN_KEY: 'k', POSTHORN_WORKSPACE: 'a b' },
      2,
      '"a b"',
    ],
  ])('%s', async (_, env, code, words) => {
    shell = new StubShell({ env })
    const ended = await shell.run('status')
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(words)
    expect(ended.out).toBe('')
  })

  test('a workspace that is not there, before anything is done in it', async () => {
    relay = await StubRelay.start(({ path: at }) =>
      at.includes('workspaces') ? refused(404, 'not_found') : ok({}),
    )
    shell = new StubShell({ env: { POSTHORN_URL: relay.url, POSTHORN_KEY: 'operator' } })
    const { code, err } = await shell.run('publish', 'a.b', '--workspace', 'amce')
    expect(code).toBe(4)
    expect(err).toContain('There is no workspace amce. Nothing was done.')
    // Within it, the call would have made it.
    expect(relay.seen.map(({ method, headers }) => [method, headers['x-company-id']])).toEqual([
      ['GET', undefined],
    ])
  })

  test('an address to forward to that is none, before the relay is asked', async () => {
    shell = new StubShell({ env: { POSTHORN_URL: 'http://127.0.0.1:9', POSTHORN_KEY: 'k' } })
    const { code, err } = await shell.run('listen', '--forward', 'localhost:3000')
    expect(code).toBe(2)
    expect(err).toContain('http://localhost:3000/hooks, not localhost:3000')
    expect((await shell.run('listen')).code).toBe(2)
  })

  test('in JSON for machines', async () => {
    shell = new StubShell()
    const { err } = await shell.run('status', '--json')
    expect(JSON.parse(err)).toMatchObject({ error: { exit: 'access', code: null, requestId: null } })
  })
})
