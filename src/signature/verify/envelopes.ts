import type { ProfileName } from './schemes.ts'

/** Values of the option `profile`. */
export type ProfileOption = ProfileName | 'custom' | 'any'

/** An event of the profiles `standard` and `bigledger`. `Data` is the type of what was published as `data`. */
export type StandardEvent<Data = unknown> = {
  id: string
  /** The event's type, such as `invoice.paid`. */
  event: string
  /** ISO 8601. */
  timestamp: string
  livemode: boolean
  api_version: string
  data: Data
  context: Record<string, unknown>
}

/** An event of the profile `core`. `Data` is the type of the object. */
export type CoreEvent<Data = unknown> = {
  id: string
  type: string
  created_at: string
  data: { object: Data }
  workspace_id: string | number
}

/** An event of the profiles `ledgerly` and `marko`. */
export type PlainEvent<Data = unknown> = { event: string; data: Data }

/** An event of the profile `standard-webhooks`. */
export type StandardWebhooksEvent<Data = unknown> = { type: string; timestamp: string; data: Data }

/** An event of the profile `cloudevents`: CloudEvents 1.0 in JSON. */
export type CloudEvent<Data = unknown> = {
  specversion: '1.0'
  id: string
  source: string
  type: string
  time: string
  datacontenttype: string
  livemode: boolean
  apiversion: string
  /** JSON, as an extension of CloudEvents holds no object. */
  context?: string
  data: Data
}

/** Several events in one request, of a subscription with `batchSettings`. */
export type Batch<Event> = { batch: true; events: Event[]; batchId: string; batchTimestamp: string }

/** The event of a profile; `unknown` where the profile does not say which form it has. */
export type EventOf<Profile extends ProfileOption, Data> = Profile extends 'standard' | 'bigledger'
  ? StandardEvent<Data>
  : Profile extends 'core'
    ? CoreEvent<Data>
    : Profile extends 'ledgerly' | 'marko'
      ? PlainEvent<Data>
      : Profile extends 'standard-webhooks'
        ? StandardWebhooksEvent<Data>
        : Profile extends 'cloudevents'
          ? CloudEvent<Data>
          : unknown

/** The body of a delivery: one event, or a batch, which for CloudEvents is a list. */
export type Payload<Event> = unknown extends Event
  ? unknown
  : Event extends { specversion: '1.0' }
    ? Event | Event[]
    : (Event & { batch?: undefined }) | Batch<Event>
