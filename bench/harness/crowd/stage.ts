/** The scene of one row: a fresh relay, fresh receivers, and the time it may take. */
import { rm } from 'node:fs/promises'
import { type RunningRelay, startRelay } from '../engines.ts'
import type { Child, Processes } from '../processes.ts'
import { PeakMemory } from './peak-memory.ts'
import { SinkClient } from './sink-client.ts'
import { TimeBudget } from './time-budget.ts'
import { RefusedCall, Workspace } from './workspace.ts'

export type StageOptions = {
  readonly name: string
  /** Requests in flight per invocation; the relay's own default where it is null. */
  readonly slots: number | null
  readonly maxMs: number
  /** Which part of the full load is made. */
  readonly share: number
}

export class Stage {
  readonly time: TimeBudget
  readonly sink: SinkClient
  readonly memory: PeakMemory
  readonly processes: Processes
  readonly name: string
  readonly #relay: RunningRelay
  readonly #share: number

  private constructor(
    { processes, relay, sink }: { processes: Processes; relay: RunningRelay; sink: SinkClient },
    { name, maxMs, share }: StageOptions,
  ) {
    this.processes = processes
    this.name = name
    this.sink = sink
    this.#relay = relay
    this.#share = share
    this.memory = new PeakMemory(relay.child)
    this.time = new TimeBudget(maxMs)
  }

  /** Sets a stage, plays on it, and clears it away with all its state. */
  static async play<T>(
    processes: Processes,
    options: StageOptions,
    play: (stage: Stage) => Promise<T>,
  ): Promise<{ value: T; cuts: readonly string[] }> {
    const before = new Set(processes.children)
    let stage: Stage | null = null
    try {
      const relay = await startRelay(processes, options)
      const sink = await SinkClient.start(processes, `${options.name}-sink`)
      const set = new Stage({ processes, relay, sink }, options)
      stage = set
      return { value: await set.time.bound(() => play(set)), cuts: set.time.cuts }
    } finally {
      stage?.memory.stop()
      for (const child of processes.children.toReversed()) if (!before.has(child)) await processes.end(child)
      if (stage !== null) await rm(stage.#relay.stateDir, { recursive: true, force: true })
    }
  }

  get relay(): Child {
    return this.#relay.child
  }

  workspace(name: string): Workspace {
    return new Workspace(this.#relay.engine, name, this.time.signal)
  }

  /** Reads from a relay that may be too busy to answer: null then, and the row says so. */
  async tryRead<T>(read: () => Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof RefusedCall)) throw error
      this.time.cut(`could not be read: ${error.message}`)
      return null
    }
  }

  /** A load of the whole bench, or the part of it that is made here. */
  scaled(count: number, min = 1): number {
    return Math.max(min, Math.round(count * this.#share))
  }
}
