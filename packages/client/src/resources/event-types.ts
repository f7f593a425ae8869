import type { Body, Data, Query, Schemas } from '../api.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { Resource } from './resource.ts'

const ALL = '/api/v1/event-types'
const ONE = '/api/v1/event-types/{name}'
const IMPORT = '/api/v1/event-types/import'

/** The catalogue of event types. */
export class EventTypes extends Resource {
  list(query?: Query<typeof ALL>, options?: CallOptions): List<Schemas['EventType']> {
    return this.api.list(ALL, { query }, options)
  }

  get(name: string, options?: CallOptions): Promise<Schemas['EventType']> {
    return this.api.call('get', ONE, { path: { name } }, options)
  }

  /** Creates a type, or replaces it. */
  put(
    name: string,
    settings: Schemas['EventTypeSettings'],
    options?: CallOptions,
  ): Promise<Data<typeof ONE, 'put'>> {
    return this.api.call('put', ONE, { path: { name }, body: settings }, options)
  }

  delete(name: string, options?: CallOptions): Promise<Data<typeof ONE, 'delete'>> {
    return this.api.call('delete', ONE, { path: { name } }, options)
  }

  /** Imports types from an OpenAPI document or a list; with `dryRun` it says what would change. */
  import(
    body: Body<typeof IMPORT, 'post'>,
    query?: Query<typeof IMPORT, 'post'>,
    options?: CallOptions,
  ): Promise<Data<typeof IMPORT, 'post'>> {
    return this.api.call('post', IMPORT, { query, body }, options)
  }
}
