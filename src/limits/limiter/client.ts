import { withinMs } from '../../base/concurrency/wait.ts'
import { type LimiterCall, type LimiterReply, limiterReplySchema } from './protocol.ts'

/** The part that is used of the namespace of the limiters' Durable Objects. */
export type LimiterNamespace = {
  getByName(name: string): {
    report(call: LimiterCall): Promise<unknown>
    acceptedOn(subject: string, day: number): Promise<number>
    forget(): Promise<void>
  }
}

/** An object that takes longer to answer counts as dead; the next report says the same again. */
const ANSWER_MS_MAX = 5_000

/** Calls the limiters of all workspaces. */
export class Limiters {
  readonly #namespace: LimiterNamespace

  constructor(namespace: LimiterNamespace) {
    this.#namespace = namespace
  }

  async report(workspaceNo: number, call: LimiterCall): Promise<LimiterReply> {
    const answer = this.#namespace.getByName(String(workspaceNo)).report(call)
    return limiterReplySchema.parse(await withinMs(ANSWER_MS_MAX, answer, notAnswered))
  }

  /** What was accepted of a subject on a day, as far as it has been reported. */
  async acceptedOn(workspaceNo: number, subject: string, day: number): Promise<number> {
    const answer = this.#namespace.getByName(String(workspaceNo)).acceptedOn(subject, day)
    return await withinMs(ANSWER_MS_MAX, answer, notAnswered)
  }

  /** Makes a workspace's limiter forget all it stores. */
  forget = async (workspaceNo: number): Promise<void> => {
    const answer = this.#namespace.getByName(String(workspaceNo)).forget()
    await withinMs(ANSWER_MS_MAX, answer, notAnswered)
  }
}

function notAnswered(): never {
  throw new Error('the limiter did not answer')
}
