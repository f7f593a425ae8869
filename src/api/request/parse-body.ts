import type * as z from 'zod'
import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'
import type { ApiDeps } from '../context.ts'
import { invalidRequest, problemsOf } from '../error-response.ts'
import { type Alias, renameAliases } from './aliases.ts'
import { withoutReadOnly } from './read-only.ts'

/** The names under which a call takes its fields, beside their own. */
export type Naming = {
  aliases: readonly Alias[]
  /** The object of the body in which `workspace_id` may name the caller's own workspace: '' is the body. */
  workspaceIdIn?: string
}

/** How a body becomes a call's input. */
export type BodyReading = {
  schema: z.ZodType
  naming?: Naming | undefined
  /** Fields of the call's answers that are taken and not read. */
  readOnly?: readonly string[] | undefined
  /** Finds in a refused body what its schema cannot see, so that all faults are named at once. */
  alsoCheck?:
    | ((call: { deps: ApiDeps; workspaceId: string }, value: unknown) => Promise<Problem[]>)
    | undefined
}

const NO_NAMING: Naming = { aliases: [] }

/** Reads a body by its schema, under the names it was sent with. Throws the refusal, which names every fault. */
export async function parseBody(
  { schema, naming = NO_NAMING, readOnly = [], alsoCheck = async () => [] }: BodyReading,
  sent: unknown,
  call: { deps: ApiDeps; workspaceId: string; id: string },
): Promise<unknown> {
  const renamed = renameAliases(sent, naming.aliases)
  const { value: own, problems: foreign } = readWorkspaceId(renamed.value, naming, call.workspaceId)
  const { value, problems: fixed } = withoutReadOnly(own, readOnly, call.id)
  const parsed = schema.safeParse(value)
  const named = [...renamed.problems, ...foreign, ...fixed]
  if (parsed.success && named.length === 0) return parsed.data
  const found = [...named, ...(parsed.success ? [] : problemsOf(parsed.error, ''))]
  const paths = new Set(found.map(({ path }) => path))
  const more = (await alsoCheck(call, value)).filter(({ path }) => !paths.has(path))
  throw invalidRequest(
    [...found, ...more].map(({ path, message }) => ({ path: renamed.pathAsSent(path), message })),
  )
}

/** Takes `workspace_id` out of a body: it must be the workspace of the call, as a text or a number. */
function readWorkspaceId(
  value: unknown,
  { workspaceIdIn }: Naming,
  workspaceId: string,
): { value: unknown; problems: Problem[] } {
  const holder = workspaceIdIn === '' ? value : isRecord(value) ? value[workspaceIdIn ?? ''] : undefined
  if (workspaceIdIn === undefined || !isRecord(holder) || !Object.hasOwn(holder, 'workspace_id')) {
    return { value, problems: [] }
  }
  const { workspace_id: named, ...others } = holder
  const isOwn = (typeof named === 'string' || typeof named === 'number') && String(named) === workspaceId
  const path = workspaceIdIn === '' ? 'workspace_id' : `${workspaceIdIn}.workspace_id`
  const message = `must be the workspace of the call, "${workspaceId}": X-Company-Id names another one`
  return {
    value: workspaceIdIn === '' ? others : { ...(value as object), [workspaceIdIn]: others },
    problems: isOwn ? [] : [{ path, message }],
  }
}
