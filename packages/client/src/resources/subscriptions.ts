import type { Body, Data, Query, Schemas } from '../api.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../list.ts'
import { Resource } from './resource.ts'

const ALL = '/api/v1/webhooks'
const ONE = '/api/v1/webhooks/{id}'

type Subscription = Schemas['Subscription']
type Of<Call extends 'pause' | 'resume' | 'enable' | 'disable' | 'flush' | 'verify'> = Promise<
  Data<`${typeof ONE}/${Call}`, 'post'>
>

/** Subscriptions, which the API calls webhooks. `id` is the relay's id or the `uid`. */
export class Subscriptions extends Resource {
  /** Creates a subscription. Its secret is in the answer, and masked in later ones. */
  create(settings: Schemas['SubscriptionSettings'], options?: CallOptions): Promise<Subscription> {
    return this.api.call('post', ALL, { body: settings }, options)
  }

  list(query?: Query<typeof ALL>, options?: CallOptions): List<Subscription> {
    return this.api.list(ALL, { query }, options)
  }

  get(id: string, options?: CallOptions): Promise<Subscription> {
    return this.api.call('get', ONE, { path: { id } }, options)
  }

  /** Changes the fields that are named, and leaves the others. */
  update(id: string, change: Schemas['SubscriptionChange'], options?: CallOptions): Promise<Subscription> {
    return this.api.call('patch', ONE, { path: { id }, body: change }, options)
  }

  delete(id: string, options?: CallOptions): Promise<Data<typeof ONE, 'delete'>> {
    return this.api.call('delete', ONE, { path: { id } }, options)
  }

  /** The secret, and a URL's credential, in plain text. The call is in the audit log. */
  secret(id: string, options?: CallOptions): Promise<Data<`${typeof ONE}/secret`, 'get'>> {
    return this.api.call('get', `${ONE}/secret`, { path: { id } }, options)
  }

  /** Makes a new secret, beside which the old one signs for a while. */
  rotateSecret(
    id: string,
    body?: Body<`${typeof ONE}/rotate-secret`, 'post'>,
    options?: CallOptions,
  ): Promise<Data<`${typeof ONE}/rotate-secret`, 'post'>> {
    return this.api.call('post', `${ONE}/rotate-secret`, { path: { id }, body }, options)
  }

  /** Lets deliveries wait until `resume`. */
  pause(id: string, options?: CallOptions): Of<'pause'> {
    return this.api.call('post', `${ONE}/pause`, { path: { id } }, options)
  }

  resume(id: string, options?: CallOptions): Of<'resume'> {
    return this.api.call('post', `${ONE}/resume`, { path: { id } }, options)
  }

  enable(id: string, options?: CallOptions): Of<'enable'> {
    return this.api.call('post', `${ONE}/enable`, { path: { id } }, options)
  }

  /** Skips events until `enable`. */
  disable(id: string, options?: CallOptions): Of<'disable'> {
    return this.api.call('post', `${ONE}/disable`, { path: { id } }, options)
  }

  /** Sends what waits for its batch. */
  flush(id: string, options?: CallOptions): Of<'flush'> {
    return this.api.call('post', `${ONE}/flush`, { path: { id } }, options)
  }

  /** Asks the receiver again if it wants deliveries. */
  verify(id: string, options?: CallOptions): Of<'verify'> {
    return this.api.call('post', `${ONE}/verify`, { path: { id } }, options)
  }

  /** Asks with one signed request if the relay reaches the receiver, and says which step fails. */
  check(id: string, options?: CallOptions): Promise<Data<`${typeof ONE}/check`, 'post'>> {
    return this.api.call('post', `${ONE}/check`, { path: { id } }, options)
  }

  /** What a sample would become: the rule that refuses it, or the request. Nothing is sent. */
  preview(
    id: string,
    sample?: Body<`${typeof ONE}/preview`, 'post'>,
    options?: CallOptions,
  ): Promise<Schemas['Preview']> {
    return this.api.call('post', `${ONE}/preview`, { path: { id }, body: sample }, options)
  }

  /** The same for settings that are not saved. */
  previewDraft(
    body: Body<'/api/v1/webhooks/preview', 'post'>,
    options?: CallOptions,
  ): Promise<Schemas['Preview']> {
    return this.api.call('post', '/api/v1/webhooks/preview', { body }, options)
  }

  /** Delivers a test event, and answers with the receiver's. */
  test(
    id: string,
    body?: Body<`${typeof ONE}/test`, 'post'>,
    options?: CallOptions,
  ): Promise<Schemas['DeliveryOutcome']> {
    return this.api.call('post', `${ONE}/test`, { path: { id }, body }, options)
  }

  /** Its deliveries, newest first, each with its attempts. */
  log(id: string, query?: Query<`${typeof ONE}/logs`>, options?: CallOptions): List<Schemas['Delivery']> {
    return this.api.list(`${ONE}/logs`, { path: { id }, query }, options)
  }

  statistics(id: string, options?: CallOptions): Promise<Data<`${typeof ONE}/statistics`, 'get'>> {
    return this.api.call('get', `${ONE}/statistics`, { path: { id } }, options)
  }

  /** Makes past deliveries due again, or with `dryRun` counts them. */
  replay(
    id: string,
    body?: Body<`${typeof ONE}/replay`, 'post'>,
    options?: CallOptions,
  ): Promise<Data<`${typeof ONE}/replay`, 'post'>> {
    return this.api.call('post', `${ONE}/replay`, { path: { id }, body }, options)
  }
}
