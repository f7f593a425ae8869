import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRelay } from './relay.ts'
import { RelayStartError } from './start-error.ts'
import { KEY_FILES } from './state.ts'

/** The answer of `POST /key-rotation`, as far as it is read here. */
export type Rotation = {
  state: 'running' | 'completed'
  keyId: string
  previousKeyId: string | null
  walk: number
  percent: number
  resealed: number
  unreadableCount: number
  unreadable: { workspaceId: string; id: string; field: string }[]
}

type Relay = { url: string; adminKey: string }

const CALL_TIMEOUT_MS = 30_000
/** Failures in a row: a relay that is deployed or overloaded is back by then. */
const TRIES_MAX = 6
const TRY_AGAIN_MS = 1_000

/** Has a relay seal everything anew under its current key, step by step; `onStep` hears of each. */
export async function rotateKeys(relay: Relay, onStep: (rotation: Rotation) => void): Promise<Rotation> {
  for (;;) {
    const rotation = await step(relay)
    onStep(rotation)
    if (rotation.state === 'completed') return rotation
  }
}

/**
 * Changes the key of a local state, which no relay may run on meanwhile, and removes the key before once nothing needs
 * it. Killed anywhere it goes on where it was when it is called again, and a relay that is started in between has both keys.
 */
export async function rotateState(stateDir: string, onStep: (rotation: Rotation) => void): Promise<Rotation> {
  if (!existsSync(path.join(stateDir, 'v3', 'd1')))
    throw new RelayStartError(`There is no state in ${path.resolve(stateDir)}.`)
  const relay = await startRelay({ stateDir, sweeper: false, changesKey: true })
  try {
    const rotation = await rotateKeys(relay, onStep)
    rmSync(path.join(relay.stateDir, KEY_FILES.previous), { force: true })
    return rotation
  } finally {
    await relay.stop()
  }
}

async function step(relay: Relay): Promise<Rotation> {
  for (let tries = 1; ; tries++) {
    const answer = await call(relay)
    if (answer.ok) return answer.rotation
    if (!answer.isPassing || tries === TRIES_MAX) throw new RelayStartError(answer.message)
    await sleep(TRY_AGAIN_MS)
  }
}

type Answer = { ok: true; rotation: Rotation } | { ok: false; isPassing: boolean; message: string }

async function call({ url, adminKey }: Relay): Promise<Answer> {
  try {
    const response = await fetch(`${url}/api/v1/key-rotation`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminKey}` },
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    const text = await response.text()
    if (response.ok) return { ok: true, rotation: (JSON.parse(text) as { data: Rotation }).data }
    const message = `${url} answered ${response.status}: ${text.slice(0, 500)}`
    return { ok: false, isPassing: response.status >= 500 || response.status === 429, message }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { ok: false, isPassing: true, message: `${url} does not answer: ${String(cause)}` }
  }
}
