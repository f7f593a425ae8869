import * as z from 'zod'
import { SCOPES } from '../../../access/scopes.ts'
import { namedRecord } from '../../../base/json/named-record.ts'
import { scalarSchema } from '../../../match/operator.ts'
import { fieldPathSchema } from '../../../model/event-view.ts'
import { scopesSchema } from './key-body.ts'

const EXPIRES_SECONDS = { min: 300, max: 7 * 86_400, default: 3_600 }
const VALUES_MAX = 5
const LOGO_CHARS_MAX = 500

const EXPIRES = `must be whole seconds, ${EXPIRES_SECONDS.min}-${EXPIRES_SECONDS.max}`
const METADATA = `must hold 1-${VALUES_MAX} entries`
const FILTERS = `must hold at most ${VALUES_MAX} entries`
const NAME = 'must be 1-100 characters'
const SUBJECT = 'must be 1-100 characters without control characters'
const LOGO = `must be an https URL of at most ${LOGO_CHARS_MAX} characters`
const COLOR = 'must be a colour such as "#0a5fd8"'

/** A binding as it is shown. */
export const bindingSchema = z.object({
  metadata: z.record(z.string(), z.string()),
  filters: z.record(z.string(), scalarSchema).optional(),
})

const themeShape = {
  name: z.string(NAME).min(1, NAME).max(100, NAME).optional(),
  logo: z.string(LOGO).max(LOGO_CHARS_MAX, LOGO).refine(isHttps, LOGO).optional(),
  accentColor: z
    .string(COLOR)
    .regex(/^#[0-9a-fA-F]{6}$/, COLOR)
    .optional(),
}

/** The look of the portal's pages. */
export const themeSchema = z.strictObject(themeShape).meta({ id: 'PortalTheme' })

const metadataSchema = namedRecord(
  z.string().regex(/^[\s\S]{1,100}$/, 'must have a name of 1-100 characters'),
  z.string().max(500, 'must be at most 500 characters'),
  { max: VALUES_MAX, message: METADATA },
).refine((metadata) => Object.keys(metadata).length > 0, METADATA)

const filtersSchema = namedRecord(fieldPathSchema, scalarSchema, { max: VALUES_MAX, message: FILTERS })

const bodyShape = {
  scopes: scopesSchema.optional(),
  expiresInSeconds: z
    .int(EXPIRES)
    .min(EXPIRES_SECONDS.min, EXPIRES)
    .max(EXPIRES_SECONDS.max, EXPIRES)
    .default(EXPIRES_SECONDS.default),
  webhooks: z
    .strictObject({
      metadata: metadataSchema,
      filters: filtersSchema
        .optional()
        .describe('Filters that such subscriptions have wherever the token says what they select'),
    })
    .optional()
    .describe('Binds the token to the subscriptions whose metadata has these values'),
  theme: themeSchema.optional(),
  subject: z
    .string(SUBJECT)
    .regex(/^[^\p{Cc}]{1,100}$/u, SUBJECT)
    .optional()
    .describe('The one it is for, as the audit log is to name them'),
}

/** Body of `POST /portal-tokens`. */
export const portalTokenSchema = z.strictObject(bodyShape).meta({ id: 'PortalTokenSettings' })

const answerShape = {
  id: z.string().describe('Names the token in logs'),
  token: z.string().describe('The token itself, shown this once'),
  url: z.string().describe('Of the portal, with the token in the part that browsers send to no server'),
  scopes: z.array(z.enum(SCOPES)),
  expiresAt: z.string(),
}

/** The answer to it. */
export const portalTokenAnswerSchema = z.object(answerShape).meta({ id: 'PortalToken' })

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:'
}
