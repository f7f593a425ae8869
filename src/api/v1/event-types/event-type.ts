import * as z from 'zod'
import {
  catalogueNameSchema,
  draftEventType,
  eventTypeBodySchema,
  exampleText,
} from '../../../catalogue/catalogue.ts'
import { deleteEventType as remove, saveEventType } from '../../../catalogue/event-type-changes.sql.ts'
import { findEventType } from '../../../catalogue/event-types.sql.ts'
import { CATALOGUE_FULL } from '../../../catalogue/import-plan.ts'
import { invalidField, notFound, RelayError } from '../../../model/errors.ts'
import { useWorkspace } from '../../../workspace/settings.sql.ts'
import { findWorkspaceNo } from '../../../workspace/workspaces.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { invalidInput } from '../../error-response.ts'
import { readOnlyFields } from '../../request/read-only.ts'
import {
  eventTypeAnswer,
  eventTypeAnswerSchema,
  nameInPath,
  savedEventTypeAnswer,
  savedEventTypeSchema,
} from './event-type-answer.ts'

/** `PUT /event-types/{name}`: creates a type (201) or replaces it as a whole (200). */
export const putEventType = defineRoute(
  {
    method: 'put',
    path: '/event-types/{name}',
    operationId: 'putEventType',
    summary: 'Create or replace an event type',
    tag: 'Event types',
    scope: 'event-types:write',
    forBound: 'refused',
    refusals: ['conflict'],
    body: eventTypeBodySchema,
    readOnly: readOnlyFields(savedEventTypeSchema, eventTypeBodySchema),
    status: 200,
    answer: savedEventTypeSchema,
    answerDescription: 'Replaced',
    otherAnswers: { 201: { answer: savedEventTypeSchema, description: 'Created' } },
  },
  async ({ deps, workspaceId, body, sent, url }) => {
    const name = catalogueNameSchema.safeParse(nameInPath(url))
    if (!name.success) throw invalidInput(name.error, 'name')
    if (body.name !== undefined && body.name !== name.data) {
      throw invalidField('name', 'must be the name in the path, or left out')
    }
    const nowMs = deps.now()
    const draft = draftEventType(name.data, body, exampleText(sent.text, 0))
    const workspace = await useWorkspace(deps.db, workspaceId, nowMs)
    const saved = await saveEventType(deps.db, workspace.no, draft, nowMs)
    if (saved.kind === 'full')
      throw new RelayError('conflict', `The event type was not saved: ${CATALOGUE_FULL}.`)
    return {
      status: saved.isNew ? 201 : 200,
      data: savedEventTypeAnswer({ ...draft, createdAtMs: saved.createdAtMs, updatedAtMs: nowMs }),
    }
  },
)

/** `GET /event-types/{name}`. */
export const getEventType = defineRoute(
  {
    method: 'get',
    path: '/event-types/{name}',
    operationId: 'getEventType',
    summary: 'Show an event type',
    tag: 'Event types',
    scope: 'webhooks:read',
    forBound: 'shared',
    refusals: ['not_found'],
    answer: eventTypeAnswerSchema,
  },
  async ({ deps, workspaceId, url }) => {
    const type = await findEventType(deps.db, workspaceId, nameInPath(url))
    if (type === null) throw notFound('event type')
    return { data: eventTypeAnswer(type) }
  },
)

/** `DELETE /event-types/{name}`: from then on the type is unknown to the catalogue; its events stay. */
export const deleteEventType = defineRoute(
  {
    method: 'delete',
    path: '/event-types/{name}',
    operationId: 'deleteEventType',
    summary: 'Delete an event type',
    tag: 'Event types',
    scope: 'event-types:write',
    forBound: 'refused',
    refusals: ['not_found'],
    answer: z.object({ name: z.string(), deleted: z.literal(true) }),
  },
  async ({ deps, workspaceId, url }) => {
    const name = nameInPath(url)
    const workspaceNo = await findWorkspaceNo(deps.db, workspaceId)
    const isDeleted = workspaceNo !== null && (await remove(deps.db, workspaceNo, name))
    if (!isDeleted) throw notFound('event type')
    return { data: { name, deleted: true } }
  },
)
