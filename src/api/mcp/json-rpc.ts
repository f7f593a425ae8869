import * as z from 'zod'
import { USER_AGENT, VERSION } from '../../deliver/attempt/request.ts'
import type { CallApi } from './call-api.ts'
import { tools } from './tools/tools.ts'

/** Revisions of the protocol that are spoken, the preferred one first. */
export const REVISIONS: readonly string[] = ['2025-06-18', '2025-11-25', '2025-03-26']

const CODES = { invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602 } as const

const INSTRUCTIONS =
  'Posthorn delivers events to subscriptions (webhooks) and can say what became of each. To find out why something was not delivered, use explain_delivery with the event’s id. Count before a replay: replay_subscription counts until it is given the count back.'

const idSchema = z.union([z.string().max(1_000), z.number()])
const messageSchema = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: idSchema.optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
})
const callParamsSchema = z.looseObject({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
})

type Id = z.infer<typeof idSchema>
type Reply = { jsonrpc: '2.0'; id: Id | null } & (
  | { result: unknown }
  | { error: { code: number; message: string } }
)

/** Answers one message of the protocol; null for one that has no answer. Nothing is kept from one to the next. */
export async function answerMessage(call: CallApi, given: unknown): Promise<Reply | null> {
  const parsed = messageSchema.safeParse(given)
  if (!parsed.success) return failed(null, CODES.invalidRequest, 'The body must be one JSON-RPC 2.0 message.')
  const { id, method, params = {} } = parsed.data
  if (id === undefined || method === undefined) return null
  switch (method) {
    case 'initialize':
      return answered(id, introduction(params['protocolVersion']))
    case 'ping':
      return answered(id, {})
    case 'tools/list':
      return answered(id, { tools: tools.map((tool) => tool.list()) })
    case 'tools/call':
      return await useTool(call, id, params)
    default:
      return failed(id, CODES.methodNotFound, `There is no method ${method.slice(0, 100)}.`)
  }
}

function introduction(asked: unknown) {
  const isSpoken = typeof asked === 'string' && REVISIONS.includes(asked)
  return {
    protocolVersion: isSpoken ? asked : REVISIONS[0],
    capabilities: { tools: {} },
    serverInfo: { name: USER_AGENT.split('/', 1)[0], title: 'Posthorn', version: VERSION },
    instructions: INSTRUCTIONS,
  }
}

async function useTool(call: CallApi, id: Id, params: Record<string, unknown>): Promise<Reply> {
  const parsed = callParamsSchema.safeParse(params)
  if (!parsed.success) return failed(id, CODES.invalidParams, 'params must have the name of a tool.')
  const tool = tools.find(({ name }) => name === parsed.data.name)
  if (tool === undefined) {
    const names = tools.map(({ name }) => name).join(', ')
    return failed(id, CODES.invalidParams, `There is no such tool; there are ${names}.`)
  }
  return answered(id, await tool.use(call, parsed.data.arguments ?? {}))
}

function answered(id: Id, result: unknown): Reply {
  return { jsonrpc: '2.0', id, result }
}

function failed(id: Id | null, code: number, message: string): Reply {
  return { jsonrpc: '2.0', id, error: { code, message } }
}
