import { env } from 'cloudflare:workers'
import type { CallPacer } from '../../../src/pacing/pacer/client.ts'
import type { Queues, World } from './builders.ts'
import { watchD1 } from './d1-watch.ts'

/** What happens to the call: it fails and nothing is done, or it is done and the answer is lost. */
export type FaultMode = 'before' | 'after'

/** Bindings of which exactly one call fails; every call is listed by name. */
export class FaultyBindings {
  readonly calls: string[] = []
  readonly #failingCall: number
  readonly #mode: FaultMode
  isActive = true

  /** `failingCall` counts from 0; -1 lets every call pass. */
  constructor(failingCall: number, mode: FaultMode) {
    this.#failingCall = failingCall
    this.#mode = mode
  }

  get db(): D1Database {
    return watchD1(env.DB, ({ sql }, run) => this.#call(`D1 ${titleOf(sql)}`, run))
  }

  get bodies(): R2Bucket {
    return this.#proxy(env.BODIES, 'R2', ['put', 'get', 'delete', 'list'])
  }

  queues(world: World): Queues {
    const proxy = (queue: object, name: string) => this.#proxy(queue, name, ['send', 'sendBatch']) as Queue
    return {
      fast: proxy(world.fast, 'queue of the proven'),
      bulk: proxy(world.bulk, 'queue of bulk'),
      unproven: proxy(world.unproven, 'queue of the unproven'),
      retries: proxy(world.retries, 'queue of retries'),
      bulkRetries: proxy(world.bulkRetries, 'queue of backlogs'),
      paced: proxy(world.paced, 'queue of the paced'),
    }
  }

  pacer(callPacer: CallPacer): CallPacer {
    return (call) => this.#call('pacer: call', () => callPacer(call))
  }

  #proxy<T extends object>(target: T, name: string, methods: readonly string[]): T {
    return new Proxy(target, {
      get: (_, property) => {
        const value = Reflect.get(target, property, target) as unknown
        if (typeof value !== 'function') return value
        if (!methods.includes(String(property))) return value.bind(target)
        return (...args: unknown[]) =>
          this.#call(`${name}: ${String(property)}`, () => value.apply(target, args))
      },
    })
  }

  async #call<R>(name: string, run: () => Promise<R>): Promise<R> {
    if (!this.isActive) return await run()
    const fails = this.calls.push(name) - 1 === this.#failingCall
    if (fails && this.#mode === 'before') throw new Error(`injected before ${name}`)
    const result = await run()
    if (fails) throw new Error(`injected after ${name}`)
    return result
  }
}

/** The verb and table of the first statement that writes, else of the first one. */
function titleOf(sql: readonly string[]): string {
  const writes = sql.find((text) => /^(INSERT|UPDATE|DELETE)/.test(text)) ?? sql[0] ?? ''
  return writes.replace(/\s+/g, ' ').slice(0, 40)
}
