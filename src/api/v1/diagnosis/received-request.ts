import * as z from 'zod'
import { base64Bytes } from '../../../base/bytes.ts'
import { namedRecord } from '../../../base/json/named-record.ts'
import { customProfileSchema, profileSchema } from '../../../shape/profile.ts'
import { receivedHeaders } from '../../../signature/verify/headers.ts'

/** The checks of a request, in their order. */
export const CHECKS = ['headers', 'secret', 'signature', 'timestamp', 'receiver'] as const

const HEADERS_MAX = 200
const HEADER_CHARS_MAX = 16_384
/** As many as a receiver may reasonably hold at a time. */
const KEYS_MAX = 5
const KEY_CHARS_MAX = 1_000

const headerNameSchema = z.string().regex(/^[^\0]{1,200}$/, 'must have a name of 1-200 characters')
const headerValueSchema = z.string().max(HEADER_CHARS_MAX, `must be at most ${HEADER_CHARS_MAX} characters`)
const headersSchema = namedRecord(
  headerNameSchema,
  z.union([headerValueSchema, z.array(headerValueSchema).max(HEADERS_MAX)]),
  { max: HEADERS_MAX, message: `must hold at most ${HEADERS_MAX} headers` },
)

const keySchema = z
  .string()
  .min(1, 'must be a text')
  .max(KEY_CHARS_MAX, `must be at most ${KEY_CHARS_MAX} characters`)
const KEYS = `must be a text, or a list of 1-${KEYS_MAX}`
const keysSchema = z.union([keySchema, z.array(keySchema).min(1).max(KEYS_MAX)], KEYS)

const base64Schema = z.string().refine((text) => base64Bytes(text) !== null, 'must be base64')

const shape = {
  headers: headersSchema
    .transform((headers) => receivedHeaders(headers) ?? new Map())
    .meta({
      like: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
      description: 'As the receiver sees them, with the names that it sees',
    }),
  body: z.string().optional().describe('The body as text'),
  bodyBase64: base64Schema.optional().describe('The body as bytes, instead of `body`'),
  secret: keysSchema.optional().describe('The secret that the receiver has, or several'),
  publicKey: keysSchema.optional().describe('`whpk_…`, for `v1a`'),
  webhookId: z
    .string()
    .optional()
    .describe('The subscription that the request should come from; needs the scope `webhooks:read`'),
  profile: profileSchema
    .optional()
    .describe(
      "What the receiver verifies by; left out it is the subscription's, or recognised by the headers",
    ),
  custom: customProfileSchema.optional(),
  signature: z
    .string()
    .max(HEADER_CHARS_MAX)
    .optional()
    .describe('What the receiver itself has computed, in hex or base64'),
  receivedAt: z.iso
    .datetime({ offset: true, message: 'must be an ISO 8601 time such as "2024-01-15T10:30:00Z"' })
    .optional()
    .describe("The receiver's clock when the request came; default now"),
  toleranceSeconds: z.number().min(0).max(86_400).optional().describe('Default 300'),
}

/** A request as its receiver saw it, and what the receiver verifies by. */
export const receivedRequestSchema = z
  .strictObject(shape)
  .refine(({ body, bodyBase64 }) => body === undefined || bodyBase64 === undefined, {
    path: ['bodyBase64'],
    message: 'cannot be combined with "body"',
  })
  .refine(({ profile, custom }) => profile !== 'custom' || custom !== undefined, {
    path: ['custom'],
    message: 'must be given with profile "custom"',
  })
  .refine(({ profile, custom }) => custom === undefined || profile === 'custom', {
    path: ['profile'],
    message: 'must be "custom" where "custom" is given',
  })
  .meta({ id: 'ReceivedRequest' })

/** The body that came; none is empty. */
export function receivedBytes({
  body = '',
  bodyBase64,
}: Pick<z.infer<typeof receivedRequestSchema>, 'body' | 'bodyBase64'>): Uint8Array {
  const bytes = bodyBase64 === undefined ? null : base64Bytes(bodyBase64)
  return bytes ?? new TextEncoder().encode(body)
}
