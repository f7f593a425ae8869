/** One run of the load driver as a process of its own. */
import path from 'node:path'
import type { Outcome } from '../report/measure.ts'
import type { Engine } from './engines.ts'
import type { Processes } from './processes.ts'

export type Load = {
  readonly events: number
  readonly perRequest: number
  readonly connections: number
  /** How many customers the events are about; the driver's own number where it is not given. */
  readonly customers?: number
  /** Deliveries that are waited for, for each event: one where it is not given. */
  readonly subscriptions?: number
}

/** Whom the driver talks to. */
export type Target = {
  readonly relay: Engine
  readonly headers: Readonly<Record<string, string>>
  readonly sink: string
}

/** Publishes as fast as the connections allow, and waits so long for one delivery of each event. */
export async function drive(
  processes: Processes,
  { relay, headers, sink }: Target,
  load: Load,
  waitSeconds: number,
): Promise<Outcome> {
  const env = {
    URL: relay.publishUrl,
    N: `${load.events}`,
    B: `${load.perRequest}`,
    C: `${load.connections}`,
    SUBS: `${load.subscriptions ?? 1}`,
    HEADERS: JSON.stringify(headers),
    SINK: sink,
    WRAP: relay.wrap,
    WAIT: `${waitSeconds}`,
    ...(load.customers !== undefined && { CUSTOMERS: `${load.customers}` }),
  }
  const args = [path.join(import.meta.dirname, 'load.mjs')]
  const program = { name: 'load', command: process.execPath, args, env }
  const text = await processes.output(program, (waitSeconds + 60) * 1000)
  // Lines before the last one are the driver's complaints about failed requests, which `errors` counts.
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Outcome
}
