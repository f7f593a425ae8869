import operations from '../operations/examples.json' with { type: 'json' }
import access from '../v1/access/examples.json' with { type: 'json' }
import archives from '../v1/archives/examples.json' with { type: 'json' }
import audit from '../v1/audit/examples.json' with { type: 'json' }
import deliveries from '../v1/deliveries/examples.json' with { type: 'json' }
import diagnosis from '../v1/diagnosis/examples.json' with { type: 'json' }
import eventTypes from '../v1/event-types/examples.json' with { type: 'json' }
import events from '../v1/events/examples.json' with { type: 'json' }
import listeners from '../v1/listeners/examples.json' with { type: 'json' }
import replays from '../v1/replays/examples.json' with { type: 'json' }
import statistics from '../v1/statistics/examples.json' with { type: 'json' }
import stream from '../v1/stream/examples.json' with { type: 'json' }
import subscriptions from '../v1/subscriptions/examples.json' with { type: 'json' }
import workspace from '../v1/workspace/examples.json' with { type: 'json' }

/**
 * A request as one may make it, and its answer. They lie beside the routes and belong together: ids of one are those of
 * the others. A test makes all the requests of a relay, and `RECORD=1` has it write the answers anew.
 */
export type CallExample = {
  path?: Readonly<Record<string, string>>
  query?: Readonly<Record<string, string>>
  body?: unknown
  /** The status of the answer; the usual one where it is left out. */
  status?: number
  answer?: unknown
  /** The call whose answer this one's is as well. */
  answerOf?: string
}

const EXAMPLES: Readonly<Record<string, CallExample>> = {
  ...{ ...events, ...subscriptions, ...deliveries, ...statistics, ...diagnosis, ...eventTypes },
  ...{ ...stream, ...listeners, ...workspace, ...access, ...audit, ...replays, ...archives, ...operations },
}

/** The example of a call; one without members where there is none. */
export function exampleOf(operationId: string): CallExample {
  const own = EXAMPLES[operationId] ?? {}
  return own.answerOf === undefined ? own : { ...own, answer: EXAMPLES[own.answerOf]?.answer }
}

/** The member that shows a value beside its schema. */
export function shownExample(value: unknown): { example?: unknown } {
  return value === undefined ? {} : { example: value }
}
