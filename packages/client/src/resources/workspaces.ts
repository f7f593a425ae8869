import type { Body, Data, Query, Schemas } from '../api.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { Resource } from './resource.ts'

const WORKSPACES = '/api/v1/workspaces'
const WORKSPACE = '/api/v1/workspaces/{id}'
const ARCHIVE = '/api/v1/archives/{id}'

/** Workspaces and their settings. Listing, creating and deleting them is for the operator. */
export class Workspaces extends Resource {
  list(query?: Query<typeof WORKSPACES>, options?: CallOptions): List<Schemas['Workspace']> {
    return this.api.list(WORKSPACES, { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Schemas['Workspace']> {
    return this.api.call('get', WORKSPACE, { path: { id } }, options)
  }

  create(
    body: Body<typeof WORKSPACES, 'post'>,
    options?: CallOptions,
  ): Promise<Data<typeof WORKSPACES, 'post'>> {
    return this.api.call('post', WORKSPACES, { body }, options)
  }

  update(
    id: string,
    settings: Body<typeof WORKSPACE, 'put'>,
    options?: CallOptions,
  ): Promise<Data<typeof WORKSPACE, 'put'>> {
    return this.api.call('put', WORKSPACE, { path: { id }, body: settings }, options)
  }

  /** Erases a workspace with all that is in it. It cannot be undone. */
  delete(id: string, options?: CallOptions): Promise<Data<typeof WORKSPACE, 'delete'>> {
    return this.api.call('delete', WORKSPACE, { path: { id } }, options)
  }
}

/** Archives of events that were purged. */
export class Archives extends Resource {
  list(query?: Query<'/api/v1/archives'>, options?: CallOptions): List<Schemas['Archive']> {
    return this.api.list('/api/v1/archives', { query }, options)
  }

  /** The archive as it is stored: gzipped NDJSON, an event with its deliveries a line. */
  download(id: string, options?: CallOptions): Promise<Response> {
    return this.api.open(ARCHIVE, { path: { id } }, options)
  }

  restore(id: string, options?: CallOptions): Promise<Data<`${typeof ARCHIVE}/restore`, 'post'>> {
    return this.api.call('post', `${ARCHIVE}/restore`, { path: { id } }, options)
  }
}
