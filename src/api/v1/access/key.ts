import * as z from 'zod'
import type { ApiKey } from '../../../access/key.ts'
import { findKey } from '../../../access/keys.sql.ts'
import { changeKey, revokeKey, rotateKey as rotate } from '../../../access/keys.ts'
import { changedFields } from '../../../audit/changed-fields.ts'
import { notFound, RelayError } from '../../../model/errors.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { readOnlyFields } from '../../request/read-only.ts'
import { excessRefusal, keyAnswer, keyAnswerSchema, shownKeySchema } from './key-answer.ts'
import { changeKeySchema, grantOf, requireFuture, rotateKeySchema } from './key-body.ts'

/** The secret before a rotation stays valid for a day unless told otherwise. */
const OVERLAP_SECONDS_DEFAULT = 86_400

/** `GET /keys/{id}`. */
export const getKey = defineRoute(
  {
    method: 'get',
    path: '/keys/{id}',
    operationId: 'getKey',
    summary: 'Show a key, without its secret',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found'],
    answer: keyAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => ({
    data: keyAnswer(await findOwnKey(deps, workspaceId, id), deps.now()),
  }),
)

/** `PATCH /keys/{id}`: changes the fields that are named, for the very next call. */
export const updateKey = defineRoute(
  {
    method: 'patch',
    path: '/keys/{id}',
    operationId: 'updateKey',
    summary: 'Change a key: what is named changes, the rest stays',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found'],
    body: changeKeySchema,
    readOnly: readOnlyFields(keyAnswerSchema, changeKeySchema),
    answer: keyAnswerSchema,
  },
  async ({ deps, caller, id, body }) => {
    const { name, allowedIps, expiresAt: expiresAtMs, limits } = body
    requireFuture(expiresAtMs, deps.now())
    const change = { name, grant: grantOf(body), allowedIps, expiresAtMs, limits }
    const changed = await changeKey(deps, caller, { id, change })
    switch (changed.kind) {
      case 'not_found':
        throw notFound('key')
      case 'exceeds':
        throw excessRefusal(changed.problems)
      case 'changed': {
        const data = keyAnswer(changed.key, deps.now())
        return { data, changed: changedFields(body, keyAnswer(changed.before, deps.now()), data) }
      }
    }
  },
)

/** `DELETE /keys/{id}`: once this has answered, no call by the key is accepted on any isolate. */
export const deleteKey = defineRoute(
  {
    method: 'delete',
    path: '/keys/{id}',
    operationId: 'deleteKey',
    summary: 'Revoke a key for good',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found'],
    answer: z.object({ id: z.string(), deleted: z.literal(true) }),
  },
  async ({ deps, workspaceId, id }) => {
    await revokeKey(deps, await findOwnKey(deps, workspaceId, id))
    return { data: { id, deleted: true } }
  },
)

/**
 * `POST /keys/{id}/rotate`: another secret under the same id; the one before is valid for `overlapSeconds` more. No answer
 * is kept for a repeated request.
 */
export const rotateKey = defineRoute(
  {
    method: 'post',
    path: '/keys/{id}/rotate',
    operationId: 'rotateKey',
    summary: 'Change the secret of a key, with an overlap',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found', 'conflict'],
    idempotency: 'none',
    body: rotateKeySchema,
    bodyOptional: true,
    answer: shownKeySchema,
  },
  async ({ deps, caller, id, body }) => {
    const { overlapSeconds = OVERLAP_SECONDS_DEFAULT } = body
    const rotated = await rotate(deps, caller, { id, overlapSeconds })
    switch (rotated.kind) {
      case 'not_found':
        throw notFound('key')
      case 'exceeds':
        throw excessRefusal(rotated.problems)
      case 'contended':
        throw new RelayError('conflict', 'The key was changed at the same time. Try again.')
      case 'rotated':
        return { data: { ...keyAnswer(rotated.key, deps.now()), key: rotated.text } }
    }
  },
)

async function findOwnKey({ db }: ApiDeps, workspaceId: string, id: string): Promise<ApiKey> {
  const key = await findKey(db, workspaceId, id)
  if (key === null) throw notFound('key')
  return key
}
