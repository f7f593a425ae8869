import { notFound } from '../../../model/errors.ts'
import { cancelReplay as cancel, findReplay, type Replay } from '../../../replay/replays.sql.ts'
import { route } from '../../define-route.ts'
import { replayAnswer, replayAnswerSchema, replayConflict } from './replay-answer.ts'

/**
 * `POST /replays/{id}/cancel`: ends a running replay; what it has made due is delivered all the same. Cancelling it twice
 * changes nothing; 409 when it had ended otherwise.
 */
export const cancelReplay = route(
  {
    method: 'post',
    path: '/replays/{id}/cancel',
    summary: 'Cancel a replay',
    tag: 'Replays',
    answer: replayAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    const { DB } = relay.env
    const find = async (): Promise<Replay> => {
      const replay = await findReplay(DB, workspaceId, id)
      if (replay === null) throw notFound('replay')
      return replay
    }
    await cancel(DB, (await find()).no, relay.now())
    const replay = await find()
    if (replay.state !== 'cancelled')
      throw replayConflict(`The replay has ${replay.state}; there is nothing to cancel.`)
    return { data: replayAnswer(replay) }
  },
)
