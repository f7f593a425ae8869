import * as z from 'zod'
import { type Grant, ROLE_NAMES, ROLES, SCOPES, type Scope } from '../../../access/scopes.ts'
import { ipRangeProblem } from '../../../base/ip-ranges.ts'
import { limitsSchema } from '../../../limits/limits.ts'
import { invalidField } from '../../../model/errors.ts'

const NAME_CHARS_MAX = 100
const RANGES_MAX = 50
const OVERLAP_SECONDS_MAX = 30 * 86_400

const NAME = `must be 1-${NAME_CHARS_MAX} characters`
const RANGES = `must list 1-${RANGES_MAX} addresses or ranges; null lets the key be used from anywhere`
const EXPIRES = 'must be a time with its offset, such as "2027-01-31T12:00:00Z", or null for never'
const OVERLAP = `must be whole seconds, 0-${OVERLAP_SECONDS_MAX}`

const rangeSchema = z.string().superRefine((text, context) => {
  const message = ipRangeProblem(text)
  if (message !== null) context.addIssue({ code: 'custom', message })
})

const roleSchema = z.enum(ROLE_NAMES, `must be one of ${ROLE_NAMES.join(', ')}`)
export const scopesSchema = z
  .array(z.enum(SCOPES, `must be one of ${SCOPES.join(', ')}`), 'must be a list of scopes')
  .min(1, 'must hold at least one scope')
  .max(SCOPES.length, 'must name each scope once')

const nameSchema = z.string(NAME).min(1, NAME).max(NAME_CHARS_MAX, NAME)
const restrictionShape = {
  allowedIps: z.array(rangeSchema, RANGES).min(1, RANGES).max(RANGES_MAX, RANGES).nullable().optional(),
  expiresAt: z.iso.datetime({ offset: true, error: EXPIRES }).transform(Date.parse).nullable().optional(),
  limits: limitsSchema.optional(),
}

const createShape = {
  name: nameSchema,
  role: roleSchema.optional(),
  scopes: scopesSchema.optional(),
  ...restrictionShape,
}

/** Body of `POST /keys`. */
export const createKeySchema = z
  .strictObject(createShape)
  .superRefine(({ role, scopes }, context) => {
    if ((role === undefined) === (scopes === undefined)) {
      context.addIssue({ code: 'custom', path: ['role'], message: 'or scopes must be given, and not both' })
    }
  })
  .meta({ id: 'ApiKeySettings' })

const changeShape = {
  name: nameSchema.optional(),
  role: roleSchema.nullable().optional().describe('Null where the scopes are given one by one'),
  scopes: scopesSchema.optional(),
  ...restrictionShape,
}

/** Body of `PATCH /keys/{id}`: only fields that are named change. */
export const changeKeySchema = z.strictObject(changeShape).meta({ id: 'ApiKeyChange' })

/** Body of `POST /keys/{id}/rotate`. */
export const rotateKeySchema = z
  .strictObject({
    overlapSeconds: z.int(OVERLAP).min(0, OVERLAP).max(OVERLAP_SECONDS_MAX, OVERLAP).optional(),
  })
  .meta({ id: 'ApiKeyRotation' })

type GrantBody = { role?: keyof typeof ROLES | null | undefined; scopes?: readonly Scope[] | undefined }

/** The grant that a body names; undefined where it names none. A key may be sent back as it was shown, with both. */
export function grantOf({ role, scopes }: GrantBody): Grant | undefined {
  if (role === undefined || role === null)
    return scopes && { scopes: SCOPES.filter((each) => scopes.includes(each)) }
  const ofRole: readonly Scope[] = ROLES[role]
  const isSame =
    scopes === undefined || (scopes.length === ofRole.length && scopes.every((each) => ofRole.includes(each)))
  if (!isSame) throw invalidField('scopes', `must be those of the role "${role}", or come with "role": null`)
  return { role }
}

/** Refuses a key that would have expired before it is used. */
export function requireFuture(expiresAtMs: number | null | undefined, nowMs: number): void {
  if (typeof expiresAtMs === 'number' && expiresAtMs <= nowMs)
    throw invalidField('expiresAt', 'must be in the future')
}
