import type { Scalar } from '../match/operator.ts'

/** The subscriptions that a portal token is bound to: those whose metadata has all of these values. */
export type Binding = {
  metadata: Readonly<Record<string, string>>
  /** Values that their filters must have wherever the token says what they select, so that they get no others' events. */
  filters?: Readonly<Record<string, Scalar>> | undefined
}

/**
 * The service of a route to callers who are bound to subscriptions:
 * - `own`: it shows and changes those of the caller only, which its handler finds by `Reach`;
 * - `shared`: it shows and changes nothing of any subscription, delivery or event;
 * - `refused`: it is about the whole workspace, and such callers are refused.
 */
export type BoundService = 'own' | 'shared' | 'refused'

/** The subscriptions of the workspace that one call may show and change: all, or those that its caller is bound to. */
export class Reach {
  readonly #binding: Binding | null
  #isAsked = false

  constructor(binding: Binding | null) {
    this.#binding = binding
  }

  /** True for a subscription with such metadata that the call may show and change. */
  includes(metadata: Readonly<Record<string, string>>): boolean {
    const { binding } = this
    return binding === null || hasAll(metadata, binding.metadata)
  }

  /** The binding, to be applied in SQL or to what is created; null for all subscriptions. */
  get binding(): Binding | null {
    this.#isAsked = true
    return this.#binding
  }

  /** True where the caller is bound and nothing has asked to which subscriptions: the answer may show others. */
  get isIgnored(): boolean {
    return this.#binding !== null && !this.#isAsked
  }
}

function hasAll(
  metadata: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(asked).every(
    ([name, value]) => Object.hasOwn(metadata, name) && metadata[name] === value,
  )
}
