import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from './free-port.ts'
import { RelayProcess } from './relay-process.ts'
import type { SharedRelay } from './shared-relay.ts'

/** Starts one relay for all files that ask for it by `sharedRelay`; it becomes ready while others are at work. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-shared-'))
  const port = await freePort()
  const relay = RelayProcess.spawn({ stateDir, port })
  const shared: SharedRelay = { url: `http://127.0.0.1:${port}`, adminKey: relay.adminKey }
  project.provide('sharedRelay', shared)
  return async () => {
    await relay.kill9()
    rmSync(stateDir, { recursive: true, force: true })
  }
}
