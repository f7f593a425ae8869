import * as z from 'zod'
import type { RouteScope } from '../../access/scopes.ts'
import { ApiRefusal, type CallApi } from './call-api.ts'

/** What a tool has found or done, in words, and as data. */
export type ToolAnswer = { text: string; data: Record<string, unknown> }

/** The result of a tool, as the protocol has it. */
export type ToolResult = {
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: true
}

type ToolDefinition<S extends z.ZodObject> = {
  name: string
  title: string
  /** What it is for; the scope is added. */
  description: string
  /** The scope that the API asks for; the description names it. */
  scope: RouteScope
  input: S
  /** True for one that changes something. */
  changes?: boolean
}

/** A tool as it is listed, and as it is used. */
export type Tool = {
  name: string
  list(): Record<string, unknown>
  use(call: CallApi, given: unknown): Promise<ToolResult>
}

/** Binds a tool's definition to what it does. What its caller may not do or has got wrong is said in its result. */
export function defineTool<const S extends z.ZodObject>(
  { name, title, description, scope, input, changes = false }: ToolDefinition<S>,
  run: (call: CallApi, given: z.infer<S>) => Promise<ToolAnswer>,
): Tool {
  const needs = scope === 'any' ? '' : ` Needs the scope ${scope}.`
  return {
    name,
    list: () => ({
      name,
      title,
      description: description + needs,
      inputSchema: z.toJSONSchema(input, { io: 'input' }),
      annotations: { title, readOnlyHint: !changes, destructiveHint: false, openWorldHint: false },
    }),
    use: async (call, given) => {
      const parsed = input.safeParse(given)
      if (!parsed.success) return failure(describeProblems(parsed.error))
      try {
        const { text, data } = await run(call, parsed.data)
        return { content: [{ type: 'text', text }], structuredContent: data }
      } catch (error) {
        if (error instanceof ApiRefusal) return failure(describeRefusal(error))
        throw error
      }
    },
  }
}

function failure(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

function describeProblems({ issues }: z.ZodError): string {
  const problems = issues.map(({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`)
  return `The arguments are not right. ${problems.join('; ')}`
}

function describeRefusal({ code, message, details }: ApiRefusal): string {
  const rest = details.filter((each) => !message.includes(each.message))
  const fields = rest.map(({ path, message: what }) => `${path}: ${what}`)
  return [`${message} (${code})`, ...fields].join('\n')
}
