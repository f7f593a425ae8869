import type { Relay, RelayResult } from '../relay.ts'

/** Where a request finds its relay; given by the entry. */
export type RelaySource = (env: Env) => RelayResult

/** Hono's types for this application. */
export type AppEnv = {
  Bindings: Env
  Variables: {
    requestId: string
    relay: Relay
    workspaceId: string
  }
}
