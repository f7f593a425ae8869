import type { ExitName } from './exit-codes.ts'

export type FailureFacts = {
  /** Lines below the message: what is wrong in particular, or what was done. */
  details?: readonly string[]
  /** A command, or a sentence, to go on with. */
  next?: string | null
  /** The code of the relay's refusal. */
  code?: string | null
  requestId?: string | null
}

/** An end of a command that is expected, in words for the person in front of it. */
export class Failure extends Error {
  readonly exit: ExitName
  readonly details: readonly string[]
  readonly next: string | null
  readonly code: string | null
  readonly requestId: string | null

  constructor(exit: ExitName, message: string, facts: FailureFacts = {}) {
    super(message)
    this.exit = exit
    this.details = facts.details ?? []
    this.next = facts.next ?? null
    this.code = facts.code ?? null
    this.requestId = facts.requestId ?? null
  }
}

/** The reason of the shell's signal once Ctrl-C was pressed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor() {
    super('interrupted')
  }
}
