import * as z from 'zod'
import { bindingOf, type Caller, type PortalCaller } from '../../../access/caller.ts'
import { SCOPES } from '../../../access/scopes.ts'
import { isoOrNull } from '../../../base/time.ts'
import { LIMIT_NAMES, WORKSPACE_SUBJECT } from '../../../limits/limits.ts'
import type { SubjectState } from '../../../limits/read-left.ts'
import { readStoredEvents } from '../../../store/stored-events.sql.ts'
import { countSubscriptions } from '../../../subscription/subscriptions.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { bindingSchema, themeSchema } from './portal-body.ts'

const limitShape = z.object({
  of: z.enum(['workspace', 'key']),
  name: z.enum(LIMIT_NAMES),
  limit: z.int(),
  left: z.int().describe('Per second: as far as the place knows that answers'),
  resetSeconds: z.int().nullable().describe('Until there is more of it; null where nothing tells'),
})

const sessionShape = {
  kind: z.enum(['operator', 'key', 'identity', 'portal']),
  actor: z.string().describe('The name of the caller in logs'),
  workspaceId: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  key: z.object({ id: z.string(), name: z.string() }).nullable(),
  expiresAt: z.string().nullable(),
  portal: z
    .object({ id: z.string(), subject: z.string().nullable(), theme: themeSchema.nullable() })
    .nullable()
    .describe('The portal token, where the caller holds one'),
  webhooks: bindingSchema.nullable().describe('The subscriptions that the caller is bound to; null for all'),
  address: z.string().nullable().describe('The address that the relay sees, which `allowedIps` must hold'),
  limits: z.array(limitShape).describe('What the workspace and the key may use, and what is left of it'),
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
    forBound: 'shared',
    refusals: [],
    answer: sessionSchema,
  },
  async ({ deps: { db, limits }, caller }) => {
    // What others of the workspace use is not for those who may see a part of it.
    if (bindingOf(caller) !== null) return { data: sessionAnswer(caller, []) }
    const states = await limits.read(caller.workspaceId, {
      countSubscriptions: (no) => countSubscriptions(db, no),
      countStored: async (no) => (await readStoredEvents(db, no))?.events ?? 0,
    })
    return { data: sessionAnswer(caller, states) }
  },
)

function sessionAnswer(caller: Caller, states: readonly SubjectState[]): z.infer<typeof sessionSchema> {
  const { kind, actor, workspaceId, scopes, address } = caller
  return {
    kind,
    actor,
    workspaceId,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    key: caller.kind === 'key' ? { id: caller.keyId, name: caller.keyName } : null,
    expiresAt: isoOrNull(caller.kind === 'operator' ? null : caller.expiresAtMs),
    portal: caller.kind === 'portal' ? portalAnswer(caller) : null,
    webhooks: bindingOf(caller),
    address,
    limits: states.flatMap(({ subject, limits }) =>
      LIMIT_NAMES.flatMap((name) => {
        const state = limits[name]
        const of = subject === WORKSPACE_SUBJECT ? ('workspace' as const) : ('key' as const)
        return state === undefined ? [] : [{ of, name, ...state }]
      }),
    ),
  }
}

function portalAnswer({ tokenId: id, subject, theme }: PortalCaller) {
  return { id, subject, theme: theme === null ? null : { ...theme } }
}
