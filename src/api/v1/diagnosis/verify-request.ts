import * as z from 'zod'
import { mayCall } from '../../../access/caller.ts'
import { iso } from '../../../base/time.ts'
import { adviceFor, CAUSES } from '../../../signature/doctor/causes.ts'
import type { Diagnosis } from '../../../signature/doctor/diagnose.ts'
import { examineRequest } from '../../../subscription/secrets/examine-request.ts'
import { accessError } from '../../caller/auth.ts'
import { defineRoute, type RouteInput } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { CHECKS, receivedBytes, receivedRequestSchema } from './received-request.ts'

const diagnosisShape = {
  verified: z.boolean().describe('True for a request that its receiver has to accept'),
  profile: z
    .string()
    .nullable()
    .describe('The profile by which it was checked; null where none is recognised'),
  failed: z
    .enum(CHECKS)
    .nullable()
    .describe(
      'The check that fails; `receiver` for a genuine request whose receiver has computed another signature',
    ),
  cause: z.enum(CAUSES).nullable().describe('The likely reason in one word'),
  proven: z.boolean().describe('True where the signature matches once the cause is undone'),
  message: z.string(),
  advice: z.string().nullable(),
  signedAt: z.string().nullable().describe('The time that is signed, where the profile signs one'),
  webhookId: z.string().nullable().describe('The subscription whose secret has made the signature'),
}

const diagnosisSchema = z.object(diagnosisShape).meta({ id: 'SignatureDiagnosis' })

/** `POST /verify`: says which check a receiver's request fails, and the likely reason. */
export const verifyRequest = defineRoute(
  {
    method: 'post',
    path: '/verify',
    operationId: 'verifyRequest',
    summary: 'Find out why a request does not verify',
    tag: 'Diagnosis',
    scope: 'any',
    forBound: 'own',
    audit: { none: 'it changes nothing, and shows no secret' },
    refusals: ['not_found'],
    body: receivedRequestSchema,
    idempotency: 'none',
    answer: diagnosisSchema,
  },
  async (input) => {
    const { deps, workspaceId, body } = input
    const subscription = await namedSubscription(input)
    const diagnosis = await examineRequest(deps, {
      headers: body.headers,
      body: receivedBytes(body),
      profile: body.profile,
      custom: body.custom ?? null,
      computed: body.signature ?? null,
      receivedAtMs: body.receivedAt === undefined ? deps.now() : Date.parse(body.receivedAt),
      toleranceSeconds: body.toleranceSeconds,
      keys: { secrets: [body.secret ?? []].flat(), publicKeys: [body.publicKey ?? []].flat() },
      subscription,
      workspaceId: mayCall(input.caller, 'webhooks:read') ? workspaceId : null,
      binding: deps.reach.binding,
    })
    return { data: diagnosisAnswer(diagnosis, subscription?.id ?? null) }
  },
)

type Input = RouteInput<{ body: typeof receivedRequestSchema }>

/** A request can be checked by a secret that the caller has; that of a subscription is the workspace's. */
async function namedSubscription({ deps, workspaceId, caller, body }: Input) {
  if (body.webhookId === undefined) return null
  if (!mayCall(caller, 'webhooks:read')) throw accessError({ kind: 'scope', scope: 'webhooks:read' })
  return await findLiveSubscription(deps, workspaceId, body.webhookId)
}

const GENUINE =
  'The request is genuine and in time. If your code refuses it, send the signature that it computes as `signature`.'

function diagnosisAnswer(
  { profile, failed, found, timestampSeconds }: Diagnosis,
  namedId: string | null,
): z.infer<typeof diagnosisSchema> {
  return {
    verified: failed === null || failed === 'receiver',
    profile,
    failed,
    cause: found?.cause ?? null,
    proven: found?.isProven ?? true,
    message: found?.message ?? GENUINE,
    advice: found === null ? null : adviceFor(found.cause),
    signedAt: timeOrNull(timestampSeconds),
    webhookId: found?.holder ?? (failed === null || failed === 'timestamp' ? namedId : null),
  }
}

/** The largest time of a date, in seconds. */
const DATE_SECONDS_MAX = 8_640_000_000_000

/** What is signed need not be a time that there is. */
function timeOrNull(seconds: number | null): string | null {
  return seconds === null || seconds > DATE_SECONDS_MAX ? null : iso(seconds * 1000)
}
