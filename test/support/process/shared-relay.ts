import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'

export type SharedRelay = { url: string; adminKey: string }

declare module 'vitest' {
  interface ProvidedContext {
    /** Set by shared-relay.setup.ts. */
    sharedRelay: SharedRelay
  }
}

const READY_MS_MAX = 60_000

/**
 * The relay of all files whose tests only call and receive, each in workspaces of its own. A file that stops its relay,
 * measures it or reads what it prints has an `ownRelay`.
 */
export async function sharedRelay(): Promise<SharedRelay> {
  const relay = inject('sharedRelay')
  for (const deadline = Date.now() + READY_MS_MAX; !(await answers(relay.url)); ) {
    if (Date.now() > deadline) throw new Error(`the shared relay does not answer at ${relay.url}`)
    await sleep(100)
  }
  return relay
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/healthz`).catch(() => null)
  return response?.ok ?? false
}
