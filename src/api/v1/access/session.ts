import * as z from 'zod'
import type { Caller } from '../../../access/caller.ts'
import { SCOPES } from '../../../access/scopes.ts'
import { isoOrNull } from '../../../base/time.ts'
import { defineRoute } from '../../define-route.ts'

const sessionShape = {
  kind: z.enum(['operator', 'key', 'identity']),
  actor: z.string().describe('The name of the caller in logs'),
  workspaceId: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  key: z.object({ id: z.string(), name: z.string() }).nullable(),
  expiresAt: z.string().nullable(),
  address: z.string().nullable().describe('The address that the relay sees, which `allowedIps` must hold'),
}

const sessionSchema = z.object(sessionShape).meta({ id: 'Session' })

/** `GET /session`: who calls, and what they may do. */
export const getSession = defineRoute(
  {
    method: 'get',
    path: '/session',
    operationId: 'getSession',
    summary: 'Show whose credential this is and what it may do',
    tag: 'Keys',
    scope: 'any',
    refusals: [],
    answer: sessionSchema,
  },
  async ({ caller }) => ({ data: sessionAnswer(caller) }),
)

function sessionAnswer(caller: Caller): z.infer<typeof sessionSchema> {
  const { kind, actor, workspaceId, scopes, address } = caller
  return {
    kind,
    actor,
    workspaceId,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    key: caller.kind === 'key' ? { id: caller.keyId, name: caller.keyName } : null,
    expiresAt: isoOrNull(caller.kind === 'operator' ? null : caller.expiresAtMs),
    address,
  }
}
