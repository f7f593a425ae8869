export type { Body, Data, Input, Item, MethodOf, Path, Query, Schemas } from './api.ts'
export {
  type ErrorCode,
  isPosthornError,
  type LocalCode,
  PosthornError,
  type Problem,
  type RefusalCode,
} from './errors.ts'
export type { Retries } from './http/backoff.ts'
export type { CallOptions } from './http/transport.ts'
export { List, type Page } from './list.ts'
export type { Forward } from './listen/forward.ts'
export { Listener } from './listen/listener.ts'
export type { Forwarded, ListenOptions, ListenStatus, WebSocketClass } from './listen/options.ts'
export type { Fetch, PosthornOptions } from './options.ts'
export { Posthorn } from './posthorn.ts'
export type { NewEvent } from './publish/new-event.ts'
export { type PublishResult, rejectionOf } from './publish/publish.ts'
export { Publisher } from './publish/publisher.ts'
export type { PublisherOptions } from './publish/publisher-options.ts'
export type { StreamEvent } from './stream/delivery-stream.ts'
