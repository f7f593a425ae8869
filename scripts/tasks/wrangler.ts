import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT } from '../local/root.ts'

const WRANGLER = path.join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' }

export type WranglerResult = { ok: boolean; output: string }

/** Runs wrangler and keeps what it prints; the caller decides what a failure means. */
export function readWrangler(args: string[]): WranglerResult {
  const run = spawnSync(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, encoding: 'utf8' })
  return { ok: run.status === 0, output: run.status === 0 ? run.stdout : `${run.stdout}${run.stderr}` }
}

/** Runs wrangler on the terminal, so that it can ask and show progress; throws when it fails. */
export function runWrangler(args: string[], more: Record<string, string> = {}): void {
  const all = { ...env, ...process.env, ...more }
  const run = spawnSync(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env: all, stdio: 'inherit' })
  if (run.status !== 0) throw new Error(`wrangler ${args.join(' ')} failed`)
}

/** Runs `wrangler deploy` on the terminal, and answers the addresses at which the Worker is then. */
export function deployWithWrangler(args: string[]): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-deploy-'))
  const report = path.join(folder, 'report.ndjson')
  try {
    runWrangler(args, { WRANGLER_OUTPUT_FILE_PATH: report })
    const lines = readFileSync(report, 'utf8').trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as { type: string; targets?: string[] })
    const targets = entries.flatMap((entry) => (entry.type === 'deploy' ? (entry.targets ?? []) : []))
    return targets.filter((target) => target.startsWith('https:'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs wrangler on the terminal until it ends, handing signals on, and ends this process with its code. */
export async function execWrangler(args: string[]): Promise<void> {
  const child = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 0
}
