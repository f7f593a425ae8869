import type { Body, Data, Input, MethodOf, Path, Query } from './api.ts'
import { ApiCaller } from './http/api-caller.ts'
import { type CallOptions, Transport } from './http/transport.ts'
import { Listener } from './listen/listener.ts'
import { type ListenOptions, readListenOptions } from './listen/options.ts'
import { checkWorkspace, type PosthornOptions, readOptions } from './options.ts'
import { Publisher } from './publish/publisher.ts'
import type { PublisherOptions } from './publish/publisher-options.ts'
import { AuditLog, Keys, PortalTokens } from './resources/access.ts'
import { Deliveries, Replays } from './resources/deliveries.ts'
import { EventTypes } from './resources/event-types.ts'
import { Events } from './resources/events.ts'
import { Subscriptions } from './resources/subscriptions.ts'
import { Archives, Workspaces } from './resources/workspaces.ts'
import { readDeliveries, type StreamEvent } from './stream/delivery-stream.ts'

/** A client of a relay's API, in one workspace. */
export class Posthorn {
  readonly events: Events
  readonly subscriptions: Subscriptions
  readonly deliveries: Deliveries
  readonly replays: Replays
  readonly eventTypes: EventTypes
  readonly workspaces: Workspaces
  readonly archives: Archives
  readonly keys: Keys
  readonly portalTokens: PortalTokens
  readonly auditLog: AuditLog
  readonly #api: ApiCaller
  readonly #options: PosthornOptions

  /** @throws TypeError that names an option that cannot be right */
  constructor(options: PosthornOptions) {
    this.#options = options
    this.#api = new ApiCaller(new Transport(readOptions(options)))
    this.events = new Events(this.#api)
    this.subscriptions = new Subscriptions(this.#api)
    this.deliveries = new Deliveries(this.#api)
    this.replays = new Replays(this.#api)
    this.eventTypes = new EventTypes(this.#api)
    this.workspaces = new Workspaces(this.#api)
    this.archives = new Archives(this.#api)
    this.keys = new Keys(this.#api)
    this.portalTokens = new PortalTokens(this.#api)
    this.auditLog = new AuditLog(this.#api)
  }

  /**
   * The same client in another workspace.
   *
   * @throws TypeError for what is no id of a workspace
   */
  in(workspace: string): Posthorn {
    checkWorkspace(workspace)
    return new Posthorn({ ...this.#options, workspace })
  }

  /** Makes a publisher, which puts single events into batches. */
  publisher(options?: PublisherOptions): Publisher {
    return new Publisher(this.#api.transport, options)
  }

  /**
   * Receives deliveries on a machine that no url reaches: a temporary subscription, whose deliveries are forwarded.
   * Resolves once it is connected.
   *
   * @throws TypeError that names an option that cannot be right
   */
  async listen(options: ListenOptions): Promise<Listener> {
    return await Listener.open(this.#api, readListenOptions(options))
  }

  /** Who the key is, and what it may do. */
  session(options?: CallOptions): Promise<Data<'/api/v1/session', 'get'>> {
    return this.#api.call('get', '/api/v1/session', {}, options)
  }

  /** Queues, sweeper and backlog of the relay. */
  status(options?: CallOptions): Promise<Data<'/api/v1/status', 'get'>> {
    return this.#api.call('get', '/api/v1/status', {}, options)
  }

  /** The figures of the workspace, what waits, and what a person has to see to. */
  statistics(
    query?: Query<'/api/v1/statistics'>,
    options?: CallOptions,
  ): Promise<Data<'/api/v1/statistics', 'get'>> {
    return this.#api.call('get', '/api/v1/statistics', { query }, options)
  }

  /**
   * Deliveries and attempts as they happen, until the loop is left or the signal is aborted. It comes back by itself
   * where a stream ends, and misses nothing as long as that takes less than a minute.
   */
  stream(query?: Query<'/api/v1/stream'>, options?: CallOptions): AsyncIterable<StreamEvent> {
    return readDeliveries(this.#api, query, options)
  }

  /** Says why a receiver does not believe a request, from what it saw of it. */
  diagnose(
    body: Body<'/api/v1/verify', 'post'>,
    options?: CallOptions,
  ): Promise<Data<'/api/v1/verify', 'post'>> {
    return this.#api.call('post', '/api/v1/verify', { body }, options)
  }

  /** Any call of the API, typed by its document: `call('post', '/api/v1/webhooks/{id}/pause', { path: { id } })`. */
  call<P extends Path, M extends MethodOf<P>>(
    method: M,
    path: P,
    input: Input<P, M>,
    options?: CallOptions,
  ): Promise<Data<P, M>> {
    return this.#api.call(method, path, input, options)
  }

  /** Any call whose answer is a file or a stream, to be read by the caller. `timeoutMs` is for its beginning. */
  open<P extends Path>(path: P, input: Input<P, 'get'>, options?: CallOptions): Promise<Response> {
    return this.#api.open(path, input, options)
  }
}
