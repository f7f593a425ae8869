import * as z from 'zod'
import { KEYS_MAX } from '../../../access/key.ts'
import { listKeys as list } from '../../../access/keys.sql.ts'
import { createKey as create } from '../../../access/keys.ts'
import { mergeLimits } from '../../../limits/limits.ts'
import { invalidField, RelayError } from '../../../model/errors.ts'
import { defineRoute } from '../../define-route.ts'
import { pagingShape, readPage } from '../../paging.ts'
import { excessRefusal, keyAnswer, keyAnswerSchema, shownKeySchema } from './key-answer.ts'
import { createKeySchema, grantOf, requireFuture } from './key-body.ts'

/** `GET /keys`: the workspace's keys, newest first, without their secrets. */
export const listKeys = defineRoute(
  {
    method: 'get',
    path: '/keys',
    operationId: 'listKeys',
    summary: 'List keys',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(keyAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const { rows, pagination } = await readPage(query, {
      kind: 'keys',
      read: (page) => list(deps.db, workspaceId, page),
    })
    const nowMs = deps.now()
    return { data: rows.map((key) => keyAnswer(key, nowMs)), pagination }
  },
)

/** `POST /keys`: the key is in the answer, and nowhere ever after. No answer is kept for a repeated request. */
export const createKey = defineRoute(
  {
    method: 'post',
    path: '/keys',
    operationId: 'createKey',
    summary: 'Make a key of the workspace',
    tag: 'Keys',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['conflict'],
    idempotency: 'none',
    status: 201,
    body: createKeySchema,
    answer: shownKeySchema,
  },
  async ({ deps, caller, body }) => {
    const { name, allowedIps = null, expiresAt: expiresAtMs = null } = body
    const grant = grantOf(body)
    if (grant === undefined) throw invalidField('role', 'or scopes must be given')
    requireFuture(expiresAtMs, deps.now())
    const limits = mergeLimits(null, body.limits ?? {})
    const made = await create(deps, caller, { name, grant, allowedIps, expiresAtMs, limits })
    switch (made.kind) {
      case 'exceeds':
        throw excessRefusal(made.problems)
      case 'full':
        throw new RelayError(
          'conflict',
          `The workspace has ${KEYS_MAX} keys, the most it may have: delete one.`,
        )
      case 'created':
        return { data: { ...keyAnswer(made.key, deps.now()), key: made.text } }
    }
  },
)
