/** A field that the relay refused, and what would be right. */
export type FieldProblem = { path: string; message: string }

/** A refusal of the relay, in its own words. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly details: readonly FieldProblem[]
  readonly requestId: string | null

  constructor(status: number, { code, message, details = [], requestId = null }: ProblemBody) {
    super(message)
    this.name = 'ApiProblem'
    this.status = status
    this.code = code
    this.details = details
    this.requestId = requestId
  }
}

type ProblemBody = { code: string; message: string; details?: FieldProblem[]; requestId?: string | null }

/** Reads a refusal; what is not of the relay, such as a proxy's page, is told by its status. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => null)) as { error?: ProblemBody } | null
  const error = body?.error ?? {
    code: 'unknown',
    message: `The relay could not be asked: something on the way answered ${response.status}.`,
  }
  return new ApiProblem(response.status, error)
}

/** The message for a person; a request that got no answer at all has no words of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiProblem) return error.message
  if (error instanceof TypeError) return 'The relay does not answer. Is it running, and are you online?'
  return error instanceof Error ? error.message : String(error)
}
