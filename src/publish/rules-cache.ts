import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { Yielder } from '../base/concurrency/yielder.ts'
import { type CompiledRules, compileRules, storedRulesSchema } from '../match/rules.ts'
import { type RequiredValue, requiredValues } from '../match/value-index.ts'

type KnownRules = {
  /** Rules to ask, and the values that they require. */
  narrowing: { rules: CompiledRules; required: readonly RequiredValue[] }
  isCompiled: () => boolean
  /** Makes them ready before they are asked. */
  compile: () => void
}

const RULES_MAX = 5_000
/** Rules of so many characters take some milliseconds to compile. */
const LARGE_CHARS = 4_000
/** Steps in the time that compiling one character takes. */
const STEPS_PER_CHAR = 30

/** Compiled rules by their text: a change of one subscription does not compile all others again. */
export class RulesCache {
  readonly #known = new BoundedMap<string, KnownRules>(RULES_MAX)

  /**
   * Compiled at the first event that asks for them: most changes are to one of many subscriptions.
   */
  of(text: string): KnownRules['narrowing'] {
    return this.#find(text).narrowing
  }

  /** Compiles large rules and lets others go on between them, which the match of one event cannot. */
  async compileLarge(texts: readonly string[]): Promise<void> {
    const large = new Set(texts.filter((text) => text.length >= LARGE_CHARS))
    // More than can be kept would be compiled again each time.
    if (large.size > RULES_MAX) return
    const yielder = new Yielder()
    for (const text of large) {
      const { compile, isCompiled } = this.#find(text)
      if (isCompiled()) continue
      compile()
      await yielder.after(STEPS_PER_CHAR * text.length)
    }
  }

  #find(text: string): KnownRules {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const stored = storedRulesSchema.parse(JSON.parse(text))
    let compiled: CompiledRules | null = null
    const compile = () => {
      compiled ??= compileRules(stored)
      return compiled
    }
    const rules: CompiledRules = (view, shared) => compile()(view, shared)
    const read = {
      narrowing: { rules, required: requiredValues(stored) },
      isCompiled: () => compiled !== null,
      compile,
    }
    this.#known.set(text, read)
    return read
  }
}
