import * as z from 'zod'
import { iso, isoOrNull } from '../../base/time.ts'
import { type RotationReport, rotateStep, rotationState } from '../../operate/rotation/rotate-keys.ts'
import { defineRoute } from '../define-route.ts'

const unreadableSchema = z.object({ workspaceId: z.string(), id: z.string(), field: z.string() })

const rotationShape = {
  state: z.enum(['running', 'completed']),
  keyId: z.string().describe('Of the key that everything is sealed under'),
  previousKeyId: z.string().nullable().describe('Of `KEY_ENCRYPTION_KEY_PREVIOUS`; null where it is not set'),
  previousKeyMayGo: z
    .boolean()
    .describe('True once a whole walk over everything has found nothing to seal anew'),
  walk: z.int().describe('Counts from 1; the last one finds nothing'),
  percent: z.int().describe('Of this walk'),
  examined: z.int().describe('Rows'),
  resealed: z.int().describe('Texts'),
  unreadableCount: z.int().describe('Texts that no key opens, in this walk'),
  unreadable: z.array(unreadableSchema).describe('Those that this step has met'),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
}
const answerSchema = z.object(rotationShape).meta({ id: 'KeyRotation' })

/** `POST /key-rotation`: seals some rows anew under the current key, and says how far that has come. */
export const rotateKeys = defineRoute(
  {
    method: 'post',
    path: '/key-rotation',
    operationId: 'rotateKeys',
    summary: 'Seal the next secrets anew under the current key: call it until it is completed',
    tag: 'Operations',
    scope: 'operator',
    forBound: 'refused',
    refusals: [],
    answer: answerSchema,
    idempotency: 'none',
  },
  async ({ deps }) => {
    const report = await rotateStep(deps)
    return { data: rotationAnswer(report), changed: changedOf(report) }
  },
)

/** `GET /key-rotation`: how far the last rotation has come. */
export const getKeyRotation = defineRoute(
  {
    method: 'get',
    path: '/key-rotation',
    operationId: 'getKeyRotation',
    summary: 'Show how far the last change of the key has come',
    tag: 'Operations',
    scope: 'operator',
    forBound: 'refused',
    refusals: [],
    answer: answerSchema.nullable(),
    answerDescription: 'Null before the first',
  },
  async ({ deps }) => {
    const report = await rotationState(deps)
    return { data: report === null ? null : rotationAnswer(report) }
  },
)

/** For the audit log: the beginning and the end of a change, and no step in between. */
function changedOf({ progress, previousKeyId, isBegun }: RotationReport) {
  const { keyId, resealed, finishedAtMs } = progress
  if (finishedAtMs !== null) return { keyId, previousKeyId, resealed }
  return isBegun ? { keyId, previousKeyId } : null
}

function rotationAnswer({ progress, previousKeyId, percent, unreadable }: RotationReport) {
  const { keyId, walk, examined, resealed, unreadable: unreadableCount, startedAtMs, finishedAtMs } = progress
  const isCompleted = finishedAtMs !== null
  return {
    state: isCompleted ? ('completed' as const) : ('running' as const),
    keyId,
    previousKeyId,
    previousKeyMayGo: isCompleted,
    walk,
    percent,
    examined,
    resealed,
    unreadableCount,
    unreadable,
    startedAt: iso(startedAtMs),
    finishedAt: isoOrNull(finishedAtMs),
  }
}
