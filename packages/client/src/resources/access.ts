import type { Body, Data, Item, Query } from '../api.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { Resource } from './resource.ts'

const ALL = '/api/v1/keys'
const ONE = '/api/v1/keys/{id}'
const PORTAL = '/api/v1/portal-tokens'
const LOG = '/api/v1/audit-log'

type Verification = Data<`${typeof LOG}/verify`, 'get'>

/** Keys of the workspace. */
export class Keys extends Resource {
  /** Makes a key. Its text is in this answer only. */
  create(body: Body<typeof ALL, 'post'>, options?: CallOptions): Promise<Data<typeof ALL, 'post'>> {
    return this.api.call('post', ALL, { body }, options)
  }

  list(query?: Query<typeof ALL>, options?: CallOptions): List<Item<typeof ALL>> {
    return this.api.list(ALL, { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Data<typeof ONE, 'get'>> {
    return this.api.call('get', ONE, { path: { id } }, options)
  }

  update(
    id: string,
    change: Body<typeof ONE, 'patch'>,
    options?: CallOptions,
  ): Promise<Data<typeof ONE, 'patch'>> {
    return this.api.call('patch', ONE, { path: { id }, body: change }, options)
  }

  /** Makes a new text of a key, beside which the old one counts for a while. */
  rotate(
    id: string,
    body?: Body<`${typeof ONE}/rotate`, 'post'>,
    options?: CallOptions,
  ): Promise<Data<`${typeof ONE}/rotate`, 'post'>> {
    return this.api.call('post', `${ONE}/rotate`, { path: { id }, body }, options)
  }

  /** Revokes a key. */
  delete(id: string, options?: CallOptions): Promise<Data<typeof ONE, 'delete'>> {
    return this.api.call('delete', ONE, { path: { id } }, options)
  }
}

/** Tokens with which a customer enters the portal. */
export class PortalTokens extends Resource {
  /** Makes a token. Its text, and the portal's address with it, are in this answer only. */
  create(body: Body<typeof PORTAL, 'post'>, options?: CallOptions): Promise<Data<typeof PORTAL, 'post'>> {
    return this.api.call('post', PORTAL, { body }, options)
  }

  /** Ends every token of the workspace that was made before now. */
  deleteAll(options?: CallOptions): Promise<Data<typeof PORTAL, 'delete'>> {
    return this.api.call('delete', PORTAL, {}, options)
  }
}

/** Who has changed what. */
export class AuditLog extends Resource {
  list(query?: Query<typeof LOG>, options?: CallOptions): List<Item<typeof LOG>> {
    return this.api.list(LOG, { query }, options)
  }

  /** Checks the chain of hashes, step by step, down to its oldest row or to where it breaks. */
  async verify(query: Query<`${typeof LOG}/verify`> = {}, options?: CallOptions): Promise<Verification> {
    let checked = 0
    let cursor = query.cursor
    for (;;) {
      const step = { query: { ...query, ...(cursor !== undefined && { cursor }) } }
      const { data, nextCursor } = await this.api.step('get', `${LOG}/verify`, step, options)
      checked += data.checked
      if (nextCursor === null || !data.intact) return { ...data, checked }
      cursor = nextCursor
    }
  }
}
