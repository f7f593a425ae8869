import * as z from 'zod'

/** The version of what is spoken, which is one of the socket's subprotocols. */
export const PROTOCOL = 'posthorn.listen.v1'
/** How the subprotocol begins that brings the ticket: browsers and runtimes can set no header. */
export const TICKET_PREFIX = 'ticket.'

const ID_CHARS_MAX = 100
const HEADERS_MAX = 200
const HEADER_CHARS_MAX = 8_192

const idSchema = z.string().max(ID_CHARS_MAX)
const headerSchema = z.tuple([
  z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,256}$/),
  z
    .string()
    .regex(/^[\t\x20-\x7e\x80-\xff]*$/)
    .max(HEADER_CHARS_MAX),
])

/** The local receiver's answer. */
const answerSchema = z.object({
  type: z.literal('answer'),
  id: idSchema,
  status: z.int().min(200).max(599),
  headers: z.array(headerSchema).max(HEADERS_MAX),
  /** Base64. */
  body: z.string(),
})

/** There is no answer, as the local receiver could not be asked. */
const failedSchema = z.object({ type: z.literal('failed'), id: idSchema, message: z.string().max(1_000) })

/** The whole request has come, and is being answered. */
const receivedSchema = z.object({ type: z.literal('received'), id: idSchema })

/** What a listener says. */
export const listenerMessageSchema = z.discriminatedUnion('type', [
  answerSchema,
  failedSchema,
  receivedSchema,
])
export type ListenerMessage = z.infer<typeof listenerMessageSchema>

/**
 * What the relay says: a request whose body goes on in further messages until the last one, its end without answer, and
 * why the socket is about to be closed, which a listener sees later or not at all.
 */
export type RelayMessage =
  | {
      type: 'request'
      id: string
      method: string
      headers: Record<string, string>
      timeoutMs: number
      body: string
      isLast: boolean
    }
  | { type: 'body'; id: string; body: string; isLast: boolean }
  | { type: 'cancel'; id: string }
  | { type: 'closing'; code: number; reason: string }

/** A request to be answered by a listener. */
export const forwardedRequestSchema = z.strictObject({
  method: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.instanceof(Uint8Array),
  timeoutMs: z.number().positive(),
})
export type ForwardedRequest = z.infer<typeof forwardedRequestSchema>

/** Why a listener has given no answer. */
export type Unanswered = {
  kind: 'unanswered'
  reason: 'disconnected' | 'busy' | 'timeout' | 'failed'
  message: string
}

/** A listener's answer, or why there is none. */
export type ForwardedAnswer =
  | { kind: 'answered'; status: number; headers: [string, string][]; body: Uint8Array }
  | Unanswered

/** Codes with which the relay closes a socket. */
export const CLOSED = { ended: 4000, replaced: 4001, slow: 4002, invalid: 4003, lapsed: 4004 } as const
