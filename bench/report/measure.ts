/** One measurement at a time: the load driver against an engine, or the fetch loop against the receiver. */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from '../harness/engines.ts'
import type { Processes } from '../harness/processes.ts'
import type { Sample, Scenario } from './figures.ts'

/** Deliveries that have not arrived by then are counted as missing. */
const WAIT_SECONDS = 30

/** The receiver's count has to wait this long before the next measurement: nobody pays for the one before. */
const QUIET_MS = 300

export type Load = {
  readonly events: number
  readonly perRequest: number
  readonly connections: number
  /** Requests offered per second; 0 is as fast as the connections allow. */
  readonly rate: number
}

export type LoadScenario = Exclude<Scenario, 'fetch6' | 'fetch50'>
export type Outcome = Omit<Sample, 'round' | 'engine' | 'scenario'>

const LOADS: Readonly<Record<LoadScenario, Load>> = {
  single16: { events: 3_000, perRequest: 1, connections: 16, rate: 0 },
  single64: { events: 3_000, perRequest: 1, connections: 64, rate: 0 },
  bulk: { events: 10_000, perRequest: 100, connections: 4, rate: 0 },
  capture: { events: 2_000, perRequest: 1, connections: 64, rate: 500 },
}
const FETCHES = 10_000

/** Enough to compile what is hot: the first requests of a fresh process are several times slower. */
const WARM_UP = { events: 600, perRequest: 1, connections: 16, rate: 0 }
const WARM_UP_BULK = { events: 2_000, perRequest: 100, connections: 4, rate: 0 }
const WARM_UP_FETCHES = 1_000

const QUICK_SHARE = 0.25

export class Meter {
  readonly #processes: Processes
  readonly #sink: string
  readonly #share: number

  constructor(processes: Processes, sink: string, quick: boolean) {
    this.#processes = processes
    this.#sink = sink
    this.#share = quick ? QUICK_SHARE : 1
  }

  /** Fails when something is lost or refused: every measurement would only wait for what never comes. */
  async warmUp(engine: Engine): Promise<void> {
    for (const load of [WARM_UP, WARM_UP_BULK]) {
      const { errors, delivered, want } = await this.#load(engine, load, 1)
      if (errors > 0 || delivered < want) {
        throw new Error(`warm-up at ${engine.origin}: ${errors} errors, ${delivered} of ${want} delivered`)
      }
    }
    await this.settle()
  }

  /** The bare Worker delivers nothing, so nothing is waited for (`subscriptions` 0). */
  async load(engine: Engine, scenario: LoadScenario, subscriptions: 0 | 1): Promise<Outcome> {
    const load = LOADS[scenario]
    const scaled = { ...load, events: Math.round(load.events * this.#share) }
    return this.#settled(await this.#counted(), await this.#load(engine, scaled, subscriptions))
  }

  async warmUpCeilings(engine: Engine): Promise<void> {
    await this.#load(engine, WARM_UP, 0)
    await this.#fetchLoop(engine, 50, WARM_UP_FETCHES)
    await this.settle()
  }

  async fetchLoop(engine: Engine, slots: 6 | 50): Promise<Outcome> {
    const count = Math.round(FETCHES * this.#share)
    return this.#settled(await this.#counted(), await this.#fetchLoop(engine, slots, count))
  }

  /** Waits until the receiver's count waits, for ten seconds at most. */
  async settle(): Promise<void> {
    for (let i = 0, last = -1; i < 10_000 / QUIET_MS; i++) {
      const now = await this.#counted()
      if (now === last) return
      last = now
      await pause(QUIET_MS)
    }
  }

  /** Counts what came after the driver had what it wanted, too: a doubled delivery must show. */
  async #settled(before: number, outcome: Outcome): Promise<Outcome> {
    await this.settle()
    return { ...outcome, delivered: (await this.#counted()) - before }
  }

  async #counted(): Promise<number> {
    return Number(await (await fetch(`${this.#sink}/n`)).text())
  }

  async #load(engine: Engine, load: Load, subscriptions: 0 | 1): Promise<Outcome> {
    const env = {
      URL: engine.publishUrl,
      N: `${load.events}`,
      B: `${load.perRequest}`,
      C: `${load.connections}`,
      RATE: `${load.rate}`,
      SUBS: `${subscriptions}`,
      HEADERS: JSON.stringify(engine.headers),
      SINK: this.#sink,
      WRAP: engine.wrap,
      WAIT: `${WAIT_SECONDS}`,
    }
    const args = [path.join(import.meta.dirname, '../harness/load.mjs')]
    const program = { name: 'load', command: process.execPath, args, env }
    const text = await this.#processes.output(program, (WAIT_SECONDS + 60) * 1000)
    // Lines before the last one are the driver's complaints about failed requests, which `errors` counts.
    return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Outcome
  }

  async #fetchLoop(engine: Engine, slots: number, count: number): Promise<Outcome> {
    const before = await this.#counted()
    const startedAt = performance.now()
    const response = await fetch(`${engine.origin}/run`, {
      method: 'POST',
      body: JSON.stringify({ target: `${this.#sink}/`, count, slots }),
      signal: AbortSignal.timeout(WAIT_SECONDS * 1000),
    })
    const { failed } = (await response.json()) as { failed: number }
    const seconds = (performance.now() - startedAt) / 1000
    const delivered = (await this.#counted()) - before
    const deliveredPerS = Math.round(delivered / seconds)
    return { publishPerS: 0, p50ms: 0, p99ms: 0, deliveredPerS, delivered, want: count, errors: failed }
  }
}
