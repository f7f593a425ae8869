import * as z from 'zod'
import { endPortalTokens } from '../../../access/portal/epoch.sql.ts'
import { makePortalToken } from '../../../access/portal/make-token.ts'
import { iso } from '../../../base/time.ts'
import { invalidFields } from '../../../model/errors.ts'
import { useWorkspace } from '../../../workspace/settings.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { excessRefusal } from './key-answer.ts'
import { portalTokenAnswerSchema, portalTokenSchema } from './portal-body.ts'

/** `POST /portal-tokens`: a token for a customer's browser. Nothing is stored of it, so that no answer is kept either. */
export const createPortalToken = defineRoute(
  {
    method: 'post',
    path: '/portal-tokens',
    operationId: 'createPortalToken',
    summary: "Make a token for a customer's browser",
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: [],
    idempotency: 'none',
    status: 201,
    body: portalTokenSchema,
    bodyOptional: true,
    answer: portalTokenAnswerSchema,
  },
  async ({ deps, caller, body, url }) => {
    const { scopes = null, webhooks: binding = null, theme = null, subject = null, expiresInSeconds } = body
    const input = { scopes, binding, theme, subject, expiresInSeconds }
    const made = await makePortalToken(deps, caller, input)
    switch (made.kind) {
      case 'exceeds':
        throw excessRefusal(made.problems)
      case 'invalid':
        throw invalidFields(made.problems)
      case 'made': {
        const { id, token, expiresAtMs } = made
        const origin = deps.portalOrigin ?? url.origin
        const shown = { id, token, url: `${origin}/portal#${token}`, scopes: made.scopes }
        return { data: { ...shown, expiresAt: iso(expiresAtMs) } }
      }
    }
  },
)

/** `DELETE /portal-tokens`: once this has answered, no call by any of them is accepted on any isolate. */
export const deletePortalTokens = defineRoute(
  {
    method: 'delete',
    path: '/portal-tokens',
    operationId: 'deletePortalTokens',
    summary: 'End all portal tokens of the workspace',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: [],
    answer: z.object({ ended: z.literal(true) }),
  },
  async ({ deps, workspaceId }) => {
    const { no } = await useWorkspace(deps.db, workspaceId, deps.now())
    await endPortalTokens(deps.db, no)
    return { data: { ended: true } }
  },
)
