import type { Body, Data, Item, Query, Schemas } from '../api.ts'
import type { CallOptions, SendOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { checkEvent, type NewEvent, textOf } from '../publish/new-event.ts'
import { type PublishResult, publishInChunks, publishOne } from '../publish/publish.ts'
import { Resource } from './resource.ts'

const EVENTS = '/api/v1/events'
const EVENT = '/api/v1/events/{id}'

/** Events: publishing them, and what became of them. */
export class Events extends Resource {
  /**
   * Publishes one event; answers once it is committed. Repeats itself under one Idempotency-Key, so an event is
   * accepted once even where an answer is lost.
   */
  async publish(event: NewEvent, options?: CallOptions): Promise<Schemas['AcceptedEvent']> {
    const text = textOf(checkEvent(event))
    return await publishOne(this.api.transport, text, keyed(options, event.id !== undefined))
  }

  /**
   * Publishes many events, in requests as large as the relay takes, one after the other. Answers in their order; one
   * that is refused does not sink the others.
   */
  async publishAll(events: readonly NewEvent[], options?: CallOptions): Promise<PublishResult[]> {
    const texts = events.map((event) => textOf(checkEvent(event)))
    const haveIds = events.every(({ id }) => id !== undefined)
    return await publishInChunks(this.api.transport, texts, keyed(options, haveIds))
  }

  /**
   * The same for events that are JSON already, which are sent as they stand: 2567.50 stays 2567.50. `haveIds` says
   * that each has an `id`, which makes it repeatable for less than a key does.
   */
  async publishJson(
    texts: readonly string[],
    { haveIds = false, ...options }: CallOptions & { haveIds?: boolean } = {},
  ): Promise<PublishResult[]> {
    return await publishInChunks(this.api.transport, texts, keyed(options, haveIds))
  }

  list(query?: Query<typeof EVENTS>, options?: CallOptions): List<Schemas['Event']> {
    return this.api.list(EVENTS, { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Schemas['EventWithPayload']> {
    return this.api.call('get', EVENT, { path: { id } }, options)
  }

  /** Erases the content of an event, and cancels what is outstanding of it. */
  erase(id: string, options?: CallOptions): Promise<Data<typeof EVENT, 'delete'>> {
    return this.api.call('delete', EVENT, { path: { id } }, options)
  }

  /** Cancels the outstanding deliveries of an event. */
  cancel(id: string, options?: CallOptions): Promise<Data<`${typeof EVENT}/cancel`, 'post'>> {
    return this.api.call('post', `${EVENT}/cancel`, { path: { id } }, options)
  }

  /** What became of an event, subscription by subscription, and why not. */
  deliveries(
    id: string,
    query?: Query<`${typeof EVENT}/deliveries`>,
    options?: CallOptions,
  ): List<Item<`${typeof EVENT}/deliveries`>> {
    return this.api.list(`${EVENT}/deliveries`, { path: { id }, query }, options)
  }

  /** Makes past deliveries of an event due again; `webhooks` names some of them. */
  replay(
    id: string,
    body?: Body<`${typeof EVENT}/replay`, 'post'>,
    options?: CallOptions,
  ): Promise<Schemas['Replay']> {
    return this.api.call('post', `${EVENT}/replay`, { path: { id }, body }, options)
  }

  /** Sends an event to a URL, without a subscription. */
  dispatch(
    body: Body<'/api/v1/dispatch', 'post'>,
    options?: CallOptions,
  ): Promise<Data<'/api/v1/dispatch', 'post'>> {
    return this.api.call('post', '/api/v1/dispatch', { body }, options)
  }
}

/** Events with ids of their own need no key: the relay would write a row for it. */
function keyed(options: CallOptions | undefined, haveIds: boolean): SendOptions {
  return haveIds && options?.idempotencyKey === undefined
    ? { ...options, idempotencyKey: null }
    : (options ?? {})
}
