import * as z from 'zod'
import { iso, isoOrNull } from '../../../base/time.ts'
import { deliveryIdOf } from '../../../model/delivery.ts'
import { RelayError } from '../../../model/errors.ts'
import { REPLAY_STATES } from '../../../replay/replay.ts'
import type { Replay } from '../../../replay/replays.sql.ts'
import {
  BOUND_RUNNING_REPLAYS_MAX,
  RUNNING_REPLAYS_MAX,
  type Started,
  type StartRefusal,
} from '../../../replay/start.ts'

const replayShape = {
  id: z.string(),
  webhookId: z.string().nullable().describe('Null for a replay of one event to several webhooks'),
  eventId: z.string().nullable().describe('Null for a replay of many events'),
  state: z.enum(REPLAY_STATES),
  examined: z.int().describe('Deliveries and events looked at so far'),
  replayed: z.int().describe('Deliveries made due so far; GET /deliveries/{id} tells what comes of each'),
  error: z.string().nullable().describe('Why a replay failed'),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  request: z.record(z.string(), z.unknown()).describe('What was asked for, defaults filled in'),
}

/** A replay and how far it has come. */
export const replayAnswerSchema = z.object(replayShape).meta({ id: 'Replay' })

/** Shows a replay. */
export function replayAnswer(replay: Replay): z.infer<typeof replayAnswerSchema> {
  return {
    id: replay.id,
    webhookId: replay.subscriptionId,
    eventId: replay.scope.kind === 'subscription' ? null : replay.scope.eventId,
    state: replay.state,
    examined: replay.examined,
    replayed: replay.replayed,
    error: replay.error,
    createdAt: iso(replay.createdAtMs),
    finishedAt: isoOrNull(replay.finishedAtMs),
    request: requestOf(replay),
  }
}

function requestOf({ scope, subscriptionNo }: Replay): Record<string, unknown> {
  switch (scope.kind) {
    case 'subscription': {
      const { statuses: status, events, acceptedFromMs, acceptedToMs, backfill, ratePerSecond } = scope
      const [dateFrom, dateTo] = [acceptedFromMs, acceptedToMs].map((ms) => isoOrNull(ms))
      return { status, events, dateFrom, dateTo, backfill, ratePerSecond }
    }
    case 'event':
      return { webhooks: scope.webhooks?.map(({ id }) => id) ?? null }
    case 'delivery':
      return { deliveryId: deliveryIdOf({ subscriptionNo: subscriptionNo ?? 0, seq: scope.seq }) }
  }
}

/** The refusal of a replay that the state of things does not allow; `message` says what to do. */
export function replayConflict(message: string): RelayError {
  return new RelayError('conflict', message)
}

/** The messages of replays that have to wait for others. */
export const START_REFUSALS: Readonly<Record<StartRefusal, string>> = {
  too_many_running: `${RUNNING_REPLAYS_MAX} replays are running in this workspace; wait for one to end, or cancel one.`,
  too_many_of_caller: `${BOUND_RUNNING_REPLAYS_MAX} replays of your webhooks are running; wait for one to end, or cancel one.`,
}

/** The replay that was started, or the refusal of one too many. */
export function startedOrRefused(started: Started): Replay {
  if (started.kind === 'refused') throw replayConflict(START_REFUSALS[started.reason])
  return started.replay
}
