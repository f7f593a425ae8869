import * as z from 'zod'
import { mayCall } from '../../access/caller.ts'
import { relayStatus, workspaceStatus } from '../../operate/status.ts'
import { defineRoute } from '../define-route.ts'
import { countsAnswer, countsShape, relayAnswer, relaySchema } from './status-answer.ts'

const answerSchema = z
  .object({ ...countsShape, relay: relaySchema.optional().describe('With the admin key only') })
  .meta({ id: 'Status' })

/**
 * `GET /status`: the state of the workspace and, for
 * the operator, of the relay. Its reads are bounded.
 */
export const getStatus = defineRoute(
  {
    method: 'get',
    path: '/status',
    operationId: 'getStatus',
    summary: 'Show what is going on',
    tag: 'Operations',
    scope: 'workspace:read',
    forBound: 'refused',
    refusals: [],
    answer: answerSchema,
  },
  async ({ deps, workspaceId, caller }) => {
    const [counts, state] = await Promise.all([
      workspaceStatus(deps.status, workspaceId),
      mayCall(caller, 'operator') ? relayStatus(deps.status) : null,
    ])
    const nowMs = deps.now()
    return { data: { ...countsAnswer(counts, nowMs), ...(state !== null && { relay: relayAnswer(state) }) } }
  },
)
