/** What a result has to say about where it was measured. */
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { run } from './processes.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

export type Machine = {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly miniflare: string
  readonly workerd: string
}

export type Commit = { readonly hash: string; readonly dirty: boolean }

export function machine(): Machine {
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    miniflare: packageVersion('miniflare'),
    workerd: packageVersion('workerd'),
  }
}

function packageVersion(name: string): string {
  try {
    const text = readFileSync(path.join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
    return (JSON.parse(text) as { version: string }).version
  } catch {
    return 'unknown'
  }
}

export async function commit(): Promise<Commit> {
  try {
    const hash = (await run('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT })).stdout.trim()
    const { stdout } = await run('git', ['status', '--porcelain'], { cwd: ROOT })
    return { hash, dirty: stdout !== '' }
  } catch {
    // A checkout without a commit, or no checkout at all.
    return { hash: 'uncommitted', dirty: true }
  }
}
