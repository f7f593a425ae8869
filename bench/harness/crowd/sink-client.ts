/** Starting the crowd's receivers, telling them how to answer, and asking what they have counted. */
import path from 'node:path'
import { answers, freePort, type Processes } from '../processes.ts'
import { type Arrivals, type Behaviour, type GroupReport, HEALTHY } from './sink-group.ts'

/** A report of many arrivals takes a busy receiver some time. */
const ANSWER_MS_MAX = 30_000

export class SinkClient {
  readonly #origin: string

  private constructor(origin: string) {
    this.#origin = origin
  }

  static async start(processes: Processes, name: string, port?: number): Promise<SinkClient> {
    const origin = `http://127.0.0.1:${port ?? (await freePort())}`
    const args = [path.join(import.meta.dirname, 'sink.ts')]
    const env = { PORT: new URL(origin).port }
    const child = processes.start({ name, command: process.execPath, args, env })
    await processes.ready(child, () => answers(`${origin}/_/ready`))
    return new SinkClient(origin)
  }

  /** The address of a group's receiver. */
  url(group: string, n: number | string = 0): string {
    return `${this.#origin}/${group}/${n}`
  }

  async behave(group: string, behaviour: Partial<Behaviour>): Promise<void> {
    await this.#ask(`/_/${group}`, { method: 'PUT', body: JSON.stringify({ ...HEALTHY, ...behaviour }) })
  }

  async report(group: string): Promise<GroupReport> {
    return (await this.#ask(`/_/${group}`)) as GroupReport
  }

  async delivered(group: string): Promise<number> {
    return (await this.report(group)).delivered
  }

  async arrivals(group: string): Promise<Arrivals> {
    return (await this.#ask(`/_/${group}/arrivals`)) as Arrivals
  }

  async repeats(group: string): Promise<Arrivals> {
    return (await this.#ask(`/_/${group}/repeats`)) as Arrivals
  }

  async #ask(pathname: string, init: { method: string; body: string } | object = {}): Promise<unknown> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX)
    const response = await fetch(`${this.#origin}${pathname}`, { ...init, signal })
    return await response.json()
  }
}
