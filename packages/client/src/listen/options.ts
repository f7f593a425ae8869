import type { Schemas } from '../api.ts'
import type { PosthornError } from '../errors.ts'
import type { Forward } from './forward.ts'

/** What a listener tells while it listens. */
export type ListenStatus =
  /** Deliveries come from now on. `isNew` where the relay had forgotten this listener: what came meanwhile is lost. */
  | { kind: 'connected'; isNew: boolean }
  /** Attempts fail, and are made again by the retry policy, until it is connected again. */
  | { kind: 'disconnected'; retryInMs: number; reason: string }
  /** It is over; null where that was asked for. */
  | { kind: 'ended'; error: PosthornError | null }

/** A delivery that was forwarded. */
export type Forwarded = {
  headers: Record<string, string>
  body: Uint8Array<ArrayBuffer>
  /** The local receiver's answer; null where there is none, and `error` says why. */
  status: number | null
  error: string | null
  latencyMs: number
}

/** The part that is used of a WebSocket's class. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocket

/** A subscription's settings but for its url, and where its deliveries go. */
export type ListenOptions = Schemas['ListenerSettings'] & {
  forward: Forward
  onStatus?: ((status: ListenStatus) => void) | undefined
  onDelivery?: ((delivery: Forwarded) => void) | undefined
  /** Ends it, as `close` does. */
  signal?: AbortSignal | undefined
  /** Instead of the platform's own, which Node has from version 22 on. */
  WebSocket?: WebSocketClass | undefined
}

/** Options that were checked: what the relay is told, and what stays here. */
export type ListenSettings = {
  settings: Schemas['ListenerSettings']
  local: Pick<ListenOptions, 'forward' | 'onStatus' | 'onDelivery' | 'signal'> & { WebSocket: WebSocketClass }
}

/** @throws TypeError that names the option */
export function readListenOptions(options: ListenOptions): ListenSettings {
  const { forward, onStatus, onDelivery, signal, WebSocket: given, ...settings } = options
  const isHttp = typeof forward === 'string' && /^https?:\/\//.test(forward) && URL.canParse(forward)
  if (!isHttp && typeof forward !== 'function')
    throw new TypeError('forward must be an address such as http://localhost:3000/hooks, or a function')
  const platform = (globalThis as { WebSocket?: WebSocketClass }).WebSocket
  const found = given ?? platform
  if (found === undefined)
    throw new TypeError('WebSocket must be given where the platform has none, as Node before version 22')
  return { settings, local: { forward, onStatus, onDelivery, signal, WebSocket: found } }
}
