import * as z from 'zod'
import type { ApiKey } from '../../../access/key.ts'
import { ROLE_NAMES, SCOPES, scopesOf } from '../../../access/scopes.ts'
import { HOUR_MS, iso, isoOrNull } from '../../../base/time.ts'
import { limitsInForceSchema, readLimits } from '../../../limits/limits.ts'
import { type Problem, RelayError } from '../../../model/errors.ts'

const keyShape = {
  id: z.string().describe('The first part of the key, by which logs name it'),
  name: z.string(),
  role: z.enum(ROLE_NAMES).nullable().describe('Null where its scopes were given one by one'),
  scopes: z.array(z.enum(SCOPES)),
  allowedIps: z.array(z.string()).nullable().describe('Null: from anywhere'),
  expiresAt: z.string().nullable(),
  limits: limitsInForceSchema,
  previousValidUntil: z.string().nullable().describe('While the secret before a rotation is valid as well'),
  createdBy: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable().describe('To the hour'),
}

/** A key as the API shows it: all but its secret. */
export const keyAnswerSchema = z.object(keyShape).meta({ id: 'ApiKey' })

/** A key with its text, which no other answer shows. */
export const shownKeySchema = z
  .object({ ...keyShape, key: z.string().describe('The key itself, shown this once') })
  .meta({ id: 'ShownApiKey' })

/** Shows a key. */
export function keyAnswer(key: ApiKey, nowMs: number): z.infer<typeof keyAnswerSchema> {
  const { id, name, grant, allowedIps, expiresAtMs, previousUntilMs, createdBy, createdAtMs } = key
  const { limits, lastUsedHour } = key
  const scopes = scopesOf(grant)
  return {
    id,
    name,
    role: 'role' in grant ? grant.role : null,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    allowedIps: allowedIps === null ? null : [...allowedIps],
    expiresAt: isoOrNull(expiresAtMs),
    limits: readLimits(limits),
    previousValidUntil: isoOrNull(
      previousUntilMs !== null && previousUntilMs > nowMs ? previousUntilMs : null,
    ),
    createdBy,
    createdAt: iso(createdAtMs),
    lastUsedAt: isoOrNull(lastUsedHour === null ? null : lastUsedHour * HOUR_MS),
  }
}

/** The refusal of a key that may more than its maker. */
export function excessRefusal(details: Problem[]): RelayError {
  const message = `A key may do no more than the one who makes or changes it: ${details.map(({ path, message: fault }) => `${path} ${fault}`).join('; ')}.`
  return new RelayError('forbidden', message, { details })
}
