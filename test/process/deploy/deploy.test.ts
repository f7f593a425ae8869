import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CloudflareAccount } from '../../../scripts/deploy/cloudflare.ts'
import { needsOf } from '../../../scripts/deploy/config.ts'
import { PendingSecrets } from '../../../scripts/deploy/pending-secrets.ts'
import { describePlan, planFor } from '../../../scripts/deploy/plan.ts'
import { runDeploy } from '../../../scripts/deploy/run.ts'
import { ACCOUNT, StubCloudflare } from '../support/stub-cloudflare.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
/** A relay of another name leaves the files of a deploy of one's own alone. */
const NAME = `posthorn-test-${process.pid}`
const QUEUES = [
  ...[
    'deliveries',
    'bulk-deliveries',
    'unproven-deliveries',
    'retries',
    'bulk-retries',
    'paced',
    'dead-letters',
  ],
].map((name) => `${NAME}-${name}`)
const SECRETS = ['ADMIN_KEY', 'KEY_ENCRYPTION_KEY']
/** The Durable Objects, each of a class that came with a migration of its own. */
const OBJECTS = ['LIMITERS', 'LISTENERS', 'PACERS', 'STREAMS']
const MIGRATIONS = readdirSync(path.join(ROOT, 'migrations')).length
const PENDING = path.join(ROOT, `.posthorn-deploy/${ACCOUNT}.${NAME}.json`)

let cloudflare: StubCloudflare
beforeEach(async () => {
  cloudflare = await StubCloudflare.start()
})
afterEach(async () => {
  await cloudflare.close()
  rmSync(PENDING, { force: true })
  rmSync(path.join(ROOT, `wrangler.deploy.${NAME}.toml`), { force: true })
})

type Ended = { code: number | null; output: string }

function begin(args: readonly string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['scripts/tasks/deploy.ts', '--name', NAME, ...args], {
    cwd: ROOT,
    detached: true,
    // What a build has in its shell is for a test to say.
    env: { ...process.env, CI: '', WORKERS_CI: '', ...cloudflare.shell, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, ended: endOf(child) }
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('no pipes')
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  const [out, err, code] = await Promise.all([buffer(stdout), buffer(stderr), promise])
  return { code, output: `${out}${err}` }
}

const deploy = (...args: string[]) => begin(args).ended

/** The end of a deploy that is killed, with wrangler where that runs, at a change: before it is made, or after. */
async function deployKilled(at: number, moment: 'before' | 'after'): Promise<Ended> {
  const { child, ended } = begin([])
  cloudflare.onWrite = (count, now) => {
    if (count === at && now === moment && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  const end = await ended
  cloudflare.onWrite = () => undefined
  return end
}

/** Half of what a relay needs, as a deploy leaves it that was ended in the middle. */
function makeHalf(): void {
  cloudflare.createDatabase(NAME)
  for (const name of QUEUES.slice(0, 3)) cloudflare.queues.add(name)
}

/** The plan for what the account holds now, as a dry run shows it. */
async function planLines(): Promise<string> {
  const account = new CloudflareAccount({ baseUrl: cloudflare.url, headers: {} }, ACCOUNT)
  const plan = await planFor(account, needsOf({ name: NAME, domain: null }))
  return describePlan(plan, NAME).join('\n')
}

const lineOf = (output: string, name: string) =>
  output.split('\n').find((line) => line.includes(` ${name} `)) ?? ''

test('the plan says of a new account, of one with half of it and of one with all, what is made', async () => {
  const fresh = await planLines()
  for (const name of [...QUEUES, `${NAME}-bodies`, NAME]) expect(lineOf(fresh, name), name).toMatch(/create$/)
  for (const name of SECRETS) expect(lineOf(fresh, name)).toMatch(/make and set$/)

  makeHalf()
  const half = await planLines()
  for (const [n, name] of QUEUES.entries())
    expect(lineOf(half, name)).toMatch(n < 3 ? /is there$/ : /create$/)
  expect(lineOf(half, NAME)).toMatch(/is there$/)

  for (const name of QUEUES) cloudflare.queues.add(name)
  cloudflare.buckets.add(`${NAME}-bodies`)
  const secrets = { ADMIN_KEY: 'set', KEY_ENCRYPTION_KEY: 'set' }
  cloudflare.workers.set(NAME, { secrets, metadata: { bindings: [] } })
  const all = await planLines()
  expect(all).not.toMatch(/create$|make and set$/m)
  expect(lineOf(all, `Worker ${NAME}`)).toMatch(/upload a new version$/)
})

test('a dry run shows the plan, builds the Worker, and changes nothing', async () => {
  makeHalf()
  const dry = await deploy('--dry-run')
  expect(dry.output).toContain(await planLines())
  expect(dry.output).toContain('Nothing was changed.')
  expect(dry.output).toMatch(/Total Upload: \d+/)
  expect(dry.code).toBe(0)
  expect(cloudflare.writes).toEqual([])
  expect(cloudflare.unknown).toEqual([])
  expect(existsSync(PENDING)).toBe(false)
})

test('killed while it makes things and run again, it finishes: each is made once', async () => {
  const deaths = [
    [1, 'after'],
    [6, 'before'],
  ] as const
  for (const [at, moment] of deaths) expect(await deployKilled(at, moment)).toMatchObject({ code: null })
  const end = await deploy()
  const { secrets = {}, metadata } = cloudflare.workers.get(NAME) ?? {}
  expect(end.output).toContain(`The relay is at https://${NAME}.example.workers.dev\n`)
  for (const name of SECRETS) expect(end.output).toContain(`${name}  ${secrets[name]}\n`)
  expect(end.code).toBe(0)
  expect(existsSync(PENDING)).toBe(false)
  expect(Buffer.from(secrets['KEY_ENCRYPTION_KEY'] ?? '', 'base64')).toHaveLength(32)

  expect([...cloudflare.databases.keys()]).toEqual([NAME])
  expect([...cloudflare.queues].sort()).toEqual([...QUEUES].sort())
  expect([...cloudflare.buckets]).toEqual([`${NAME}-bodies`])
  expect(cloudflare.consumers.size).toBe(QUEUES.length)
  const made = cloudflare.writes.filter((write) => /^POST \/(d1|r2|queues)\S* \S/.test(write))
  expect(made).toEqual([...new Set(made)])
  expect(cloudflare.unknown).toEqual([])
  const isObject = ({ type }: { type: string }) => type === 'durable_object_namespace'
  expect(
    metadata?.bindings
      .filter(isObject)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(OBJECTS)
  expect(metadata?.migrations).toMatchObject({ new_tag: `v${OBJECTS.length}` })
  expect(metadata?.migrations?.steps).toHaveLength(OBJECTS.length)
  const { db } = cloudflare.databases.get(NAME) ?? {}
  expect(db?.prepare('SELECT count(*) AS count FROM d1_migrations').get()).toEqual({ count: MIGRATIONS })
}, 180_000)

test('killed at any step and run again, it shows the keys that were set, and sets no others', async () => {
  const target = { name: NAME, domain: null }
  const account = new CloudflareAccount({ baseUrl: cloudflare.url, headers: {} }, ACCOUNT)
  const secrets = new PendingSecrets(ACCOUNT, NAME)
  /** A run that dies at a step: when it migrates, as it begins to upload, or when the Worker has been uploaded. */
  const run = async (death: 'migrations' | 'upload' | 'end' | null, shell: Record<string, string> = {}) => {
    const die = (step: string) => {
      if (death === step) throw new Error('killed')
    }
    const deps = {
      ...{ account, secrets, say: () => undefined, shell },
      wrangler: () => die('migrations'),
      deploy: (args: string[]) => {
        die('upload')
        const given = args.includes('--secrets-file') ? secrets.values : {}
        const before = cloudflare.workers.get(NAME)?.secrets ?? {}
        cloudflare.workers.set(NAME, { secrets: { ...before, ...given }, metadata: { bindings: [] } })
        die('end')
        return []
      },
    }
    return await runDeploy(deps, target, await planFor(account, needsOf(target)))
  }
  for (const death of ['migrations', 'upload', 'end'] as const)
    await expect(run(death)).rejects.toThrow('killed')
  const { secrets: set = {} } = cloudflare.workers.get(NAME) ?? {}
  expect(Object.keys(set).sort()).toEqual(SECRETS)
  expect((await run(null)).made).toEqual(set)
  secrets.forget()
  expect((await run(null)).made).toEqual({})
  expect(cloudflare.workers.get(NAME)?.secrets).toEqual(set)

  // Given in the shell, they count before what was made, and are not shown: a log may be kept.
  cloudflare.workers.clear()
  const given = { ADMIN_KEY: 'a-key-of-the-shell', KEY_ENCRYPTION_KEY: 'one-as-well' }
  await expect(run('upload')).rejects.toThrow('killed')
  expect((await run(null, given)).made).toEqual({})
  expect(cloudflare.workers.get(NAME)?.secrets).toEqual(given)
})

test('makes no new key for a database whose secrets are sealed under another', async () => {
  makeHalf()
  const { db } = cloudflare.databases.get(NAME) ?? {}
  db?.exec(
    "CREATE TABLE key_check (no INTEGER PRIMARY KEY, sealed TEXT NOT NULL); INSERT INTO key_check VALUES (1, 'x')",
  )
  const refused = await deploy()
  expect(refused.code).toBe(1)
  expect(refused.output).toContain('Run it again with KEY_ENCRYPTION_KEY set to that key in the shell')
  expect(cloudflare.writes).toEqual([])
})

test('says what is wrong: no login, a wrong name, secrets that a build would have to keep in its log', async () => {
  const none = await begin([], {
    CLOUDFLARE_API_TOKEN: '',
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
  }).ended
  expect(none).toMatchObject({ code: 1, output: expect.stringContaining('npx wrangler login') })
  expect(await deploy('--domain', 'no host')).toMatchObject({
    code: 1,
    output: expect.stringContaining('--domain'),
  })
  expect(await deploy('--dri-run')).toMatchObject({
    code: 1,
    output: expect.stringContaining('npm run deploy -- ['),
  })
  for (const build of ['CI', 'WORKERS_CI'])
    expect(await begin([], { [build]: 'true', ADMIN_KEY: 'a-key-of-the-shell' }).ended).toMatchObject({
      code: 1,
      output: expect.stringContaining('Not set: KEY_ENCRYPTION_KEY'),
    })
  expect(cloudflare.writes).toEqual([])
})

test.each([
  [400, 6003, 'Invalid request headers', 'CLOUDFLARE_API_TOKEN'],
  [403, 10000, 'Authentication error', 'CLOUDFLARE_API_TOKEN'],
  [429, 971, 'Please wait and consider throttling', 'wait five minutes'],
  [502, 0, 'Bad gateway', 'Run it again'],
])('says what to do where Cloudflare answers %i, code %i', async (status, code, message, advice) => {
  cloudflare.refusal = { status, code, message }
  const refused = planLines()
  await expect(refused).rejects.toThrow(`Cloudflare answered ${status}`)
  await expect(refused).rejects.toThrow(advice)
})
