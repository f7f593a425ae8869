import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { findChromium } from './chromium.ts'
import { FramingPages } from './framing-pages.ts'

const LOGO_ORIGIN = 'https://logos.example'

declare module 'vitest' {
  interface ProvidedContext {
    relayUrl: string
    adminKey: string
    /** Where the browser is spoken to; null on a machine without one. */
    browserUrl: string | null
    /** Of pages that show others in frames: the relay lets those of 127.0.0.1 show the portal, not those of localhost. */
    framingPort: number
    /** Pictures of this origin are shown as logos. */
    logoOrigin: string
  }
}

/** Builds the dashboard, and starts one relay on a new state and one browser for all files of tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const executablePath = findChromium()
  execFileSync(process.execPath, ['scripts/build/dashboard.ts'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-browser-'))
  const framing = await FramingPages.start()
  const env = {
    PORTAL_FRAME_ANCESTORS: `http://127.0.0.1:${framing.port}`,
    PORTAL_LOGO_ORIGINS: LOGO_ORIGIN,
  }
  const relay = await RelayProcess.start({ stateDir, env })
  const server =
    executablePath === null
      ? null
      : await chromium.launchServer({
          executablePath,
          // Chromium refuses its sandbox to root, as whom CI runs.
          chromiumSandbox: process.getuid?.() !== 0,
          args: ['--disable-dev-shm-usage'],
        })
  project.provide('relayUrl', relay.url)
  project.provide('adminKey', relay.adminKey)
  project.provide('logoOrigin', LOGO_ORIGIN)
  project.provide('framingPort', framing.port)
  project.provide('browserUrl', server?.wsEndpoint() ?? null)
  return async () => {
    await server?.close()
    await relay.stop()
    await framing.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}
