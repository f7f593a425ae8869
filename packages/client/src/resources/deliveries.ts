import type { Data, Item, Query, Schemas } from '../api.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { Resource } from './resource.ts'

const ALL = '/api/v1/deliveries'
const ONE = '/api/v1/deliveries/{id}'
const REPLAY = '/api/v1/replays/{id}'

/** Deliveries of the whole workspace. */
export class Deliveries extends Resource {
  /** All of the workspace, newest first, each with its attempts. */
  list(query?: Query<typeof ALL>, options?: CallOptions): List<Item<typeof ALL>> {
    return this.api.list(ALL, { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Data<typeof ONE, 'get'>> {
    return this.api.call('get', ONE, { path: { id } }, options)
  }

  /** One attempt in full: what was sent, what came back, who answered. `attempt` counts from 1. */
  attempt(
    id: string,
    attempt: number,
    options?: CallOptions,
  ): Promise<Data<`${typeof ONE}/attempts/{n}`, 'get'>> {
    return this.api.call('get', `${ONE}/attempts/{n}`, { path: { id, n: String(attempt) } }, options)
  }

  /** Attempts it at once, and answers with the outcome. */
  retry(id: string, options?: CallOptions): Promise<Data<`${typeof ONE}/retry`, 'post'>> {
    return this.api.call('post', `${ONE}/retry`, { path: { id } }, options)
  }

  /** Makes it due again in the background, with all retries. */
  replay(id: string, options?: CallOptions): Promise<Data<`${typeof ONE}/replay`, 'post'>> {
    return this.api.call('post', `${ONE}/replay`, { path: { id } }, options)
  }
}

/** Replays that were started. */
export class Replays extends Resource {
  list(query?: Query<'/api/v1/replays'>, options?: CallOptions): List<Schemas['Replay']> {
    return this.api.list('/api/v1/replays', { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Schemas['Replay']> {
    return this.api.call('get', REPLAY, { path: { id } }, options)
  }

  cancel(id: string, options?: CallOptions): Promise<Schemas['Replay']> {
    return this.api.call('post', `${REPLAY}/cancel`, { path: { id } }, options)
  }
}
