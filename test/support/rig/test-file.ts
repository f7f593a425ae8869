import entry from '../../../src/index.ts'
import { watchD1 } from './d1-watch.ts'

/** What a test file's isolates know of it. */
type Life = { isOver: boolean; sinceMs: number; bindings: WeakMap<Env, Env> }

const worker = { fetch: entry.fetch, queue: entry.queue }
const consuming = new Set<Promise<unknown>>()
let life = newLife()

/**
 * Ends the last test file in this runtime, as if its isolates had ended, and begins the next: what they keep in memory,
 * the hints they have sent, and what they are still about to write do not reach it. Numbers begin at 1 in every file.
 */
export async function beginTestFile(): Promise<void> {
  life.isOver = true
  while (consuming.size > 0) await Promise.allSettled(consuming)
  life = newLife()
  entry.fetch = (request, bindings, context) => worker.fetch(request, ownBindings(bindings), context)
  entry.queue = async (batch, bindings, context) => {
    const messages = batch.messages.filter(isOfThisFile)
    for (const message of batch.messages) if (!isOfThisFile(message)) message.ack()
    if (messages.length === 0) return
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(track(work))
    const watched = Object.create(context, { waitUntil: { value: waitUntil } }) as ExecutionContext
    await track(worker.queue(viewOf(batch, messages), ownBindings(bindings), watched))
  }
}

/** A database that answers until the test file is over, and not at all afterwards. */
export function dbUntilFileEnds(db: D1Database): D1Database {
  const own = life
  return watchD1(db, async (_, run) => (own.isOver ? await NEVER : await run()))
}

/** Objects likewise. */
export function bodiesUntilFileEnds(bodies: R2Bucket): R2Bucket {
  const own = life
  return new Proxy(bodies, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => (own.isOver ? await NEVER : await value.apply(target, args))
    },
  })
}

const NEVER = new Promise<never>(() => undefined)

function newLife(): Life {
  return { isOver: false, sinceMs: Date.now(), bindings: new WeakMap() }
}

const isOfThisFile = ({ timestamp }: Message) => timestamp.getTime() >= life.sinceMs

/** Bindings that no earlier test file had: a relay, and what it keeps in memory, is found by them. */
function ownBindings(bindings: Env): Env {
  const own = life.bindings.get(bindings) ?? { ...bindings }
  life.bindings.set(bindings, own)
  return own
}

async function track<T>(work: Promise<T>): Promise<T> {
  consuming.add(work)
  return await work.finally(() => consuming.delete(work))
}

/** A batch with some of its messages. */
function viewOf(batch: MessageBatch, messages: readonly Message[]): MessageBatch {
  return {
    queue: batch.queue,
    metadata: batch.metadata,
    messages,
    ackAll: () => batch.ackAll(),
    retryAll: (options) => batch.retryAll(options),
  }
}
