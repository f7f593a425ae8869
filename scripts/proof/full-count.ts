import { spawn } from 'node:child_process'
import path from 'node:path'
import type { ProofResult } from './proof.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const VITEST = path.join(ROOT, 'node_modules/vitest/vitest.mjs')
const OUTPUT_CHARS_MAX = 8_000

/** Tests of which `npm test` runs some cases of every kind, or a shorter run: here they run in full. */
export const FULL_COUNT_TESTS: readonly { name: string; guarantee: string; files: readonly string[] }[] = [
  {
    name: 'faults',
    guarantee: 'nothing accepted is lost or doubled, whichever single call fails or loses its answer',
    files: [
      'test/flow/batch-faults.test.ts',
      'test/flow/engine-faults.test.ts',
      'test/flow/faults.test.ts',
      'test/workerd/retention/erase/erase-faults.test.ts',
      'test/workerd/retention/purge-faults.test.ts',
    ],
  },
  {
    name: 'fuzz',
    guarantee:
      'no input makes the API fail or a request go where it must not, and no order of hints loses a delivery',
    files: [
      'test/process/survival/large-bodies.test.ts',
      'test/process/wire/refused-bodies.test.ts',
      'test/workerd/api/fuzz.test.ts',
      'test/workerd/api/leaks.test.ts',
      'test/workerd/destination/corpus.test.ts',
      'test/workerd/api/v1/deliveries/log-pages.test.ts',
      'test/workerd/deliver/hostile-hints.test.ts',
      'test/workerd/deliver/paced/batch/once.test.ts',
    ],
  },
  {
    name: 'lists',
    guarantee: 'walking the pages of all deliveries yields each exactly once, whatever is asked for',
    files: ['test/workerd/history/all-deliveries.test.ts'],
  },
  {
    name: 'tenants',
    guarantee: 'ten thousand calls by one workspace with the names of another show and change nothing of it',
    files: ['test/workerd/access/customer-fuzz.test.ts', 'test/workerd/access/tenant-fuzz.test.ts'],
  },
  {
    name: 'revocation',
    guarantee:
      'no publish by a key that begins after its revocation was answered is accepted, with hundreds in flight',
    files: ['test/process/survival/two-isolates.test.ts', 'test/workerd/access/revocation.test.ts'],
  },
  {
    name: 'identity',
    guarantee:
      'keys of the identity provider that are known go on working whatever its server answers, and new ones count once it answers again',
    files: ['test/process/wire/identity-provider.test.ts'],
  },
  {
    name: 'limits',
    guarantee: 'a backlog uses its rate and its concurrency to the full, and keeps to them',
    files: ['test/workerd/deliver/paced/real-time/limit-use.test.ts'],
  },
  {
    name: 'kills',
    guarantee:
      'what the proofs of kills, doubled hints and hanging receivers say, in minutes instead of hours',
    files: [
      'test/process/survival/batch-kills.test.ts',
      'test/process/timed/crash.test.ts',
      'test/process/survival/hints.test.ts',
      'test/process/survival/pacing-crash.test.ts',
      'test/process/survival/replay-crash.test.ts',
      'test/process/timed/isolation.test.ts',
    ],
  },
  {
    name: 'client',
    guarantee:
      'the packed client does the same in Node, Deno, Bun, Workers and a browser, and its outbox loses nothing at any step',
    files: ['test/process/client/outbox-kills.test.ts', 'test/process/client/packed.test.ts'],
  },
  {
    name: 'receivers',
    guarantee: 'receivers in eight languages do as the docs say, and generated clients compile',
    files: ['test/process/docs/generated-clients.test.ts', 'test/process/docs/receivers.test.ts'],
  },
]

/** Runs test files at full count. What a failing run says last is the violation. */
export async function proveByTests(files: readonly string[]): Promise<ProofResult> {
  const { code, output } = await runVitest(files)
  const [totals = 'none'] = /^\d+ passed, \d+ failed$/m.exec(output) ?? []
  return { figures: { tests: totals }, violations: code === 0 ? [] : [output.slice(-OUTPUT_CHARS_MAX)] }
}

async function runVitest(files: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [VITEST, 'run', ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FULL_COUNT: '1', NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  return { code: await promise, output }
}
