import * as z from 'zod'
import { replayableStatusSchema } from '../../../replay/replay.ts'
import { pathOf } from '../call-api.ts'
import { defineTool } from '../tool.ts'

type Count = { count: number; countIsMinimum?: true }

/** Replays past deliveries, as `POST /webhooks/{id}/replay` does, once the count of the dry run is given back. */
export const replaySubscription = defineTool(
  {
    name: 'replay_subscription',
    title: 'Replay past deliveries',
    description:
      'Makes past deliveries of a subscription due again. Without confirmCount nothing is replayed: it answers how many there would be. Give that number as confirmCount, after the person has agreed to it, to begin.',
    scope: 'deliveries:retry',
    input: z.strictObject({
      subscription: z.string().min(1).describe('Its id or uid'),
      status: z.array(replayableStatusSchema).optional().describe('Left out, failed for good only'),
      events: z.array(z.string()).optional().describe('Types or patterns; left out, all'),
      dateFrom: z.string().optional().describe('ISO 8601 time; of the events’ acceptance'),
      dateTo: z.string().optional().describe('ISO 8601 time'),
      backfill: z.boolean().optional().describe('Also events that the subscription was never owed'),
      ratePerSecond: z.int().optional().describe('At most so many deliveries a second'),
      confirmCount: z.int().min(0).optional().describe('The count of the dry run with the same arguments'),
    }),
    changes: true,
  },
  async (call, { subscription, confirmCount, ...selection }) => {
    const path = pathOf('/webhooks/{}/replay', subscription)
    const counted = await call('POST', path, { body: { ...selection, dryRun: true } })
    const { count, countIsMinimum = false } = counted.data as Count
    const many = `${countIsMinimum ? 'at least ' : ''}${count} deliveries`
    if (confirmCount === count && count > 0) {
      const { data } = await call('POST', path, { body: selection })
      const { id } = data as { id: string }
      return {
        text: `The replay ${id} has begun: ${many}. get_replay shows how far it is.`,
        data: { started: true, replay: data },
      }
    }
    const was =
      confirmCount === undefined || confirmCount === count ? '' : ` The count is not ${confirmCount}.`
    const next = count === 0 ? '' : ` To replay them, call again with confirmCount ${count}.`
    return {
      text: `Nothing was replayed; ${many} would be made due again.${was}${next}`,
      data: { started: false, count, countIsMinimum },
    }
  },
)

/** Shows how far a replay is, as `GET /replays/{id}` does. */
export const getReplay = defineTool(
  {
    name: 'get_replay',
    title: 'Show a replay',
    description: 'Shows how far a replay is.',
    scope: 'deliveries:read',
    input: z.strictObject({ replay: z.string().min(1).describe('Its id') }),
  },
  async (call, { replay }) => {
    const { data } = await call('GET', pathOf('/replays/{}', replay))
    return { text: JSON.stringify(data), data: data as Record<string, unknown> }
  },
)
