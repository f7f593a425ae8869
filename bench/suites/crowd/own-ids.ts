/** Bulk publishes with own ids against the same without, interleaved. */
import { publishBulk, sampleEvent } from '../../fixtures/bulk.ts'
import type { Stage } from '../../harness/crowd/stage.ts'
import { type Line, line } from '../../report/crowd-lines.ts'
import type { One, Row } from './row.ts'

const LOADS = [
  { perRequest: 1_000, events: 5_000 },
  { perRequest: 100, events: 3_000 },
] as const
const ROUNDS = 3
const LOAD_MS_MAX = 20_000

export const OWN_IDS_ROWS: readonly Row[] = [{ name: 'own-ids', maxSeconds: 180, run: measureOwnIds }]

async function measureOwnIds(stage: Stage, one: One): Promise<Line[]> {
  const lines: Line[] = []
  await publishOnce(stage, { ...LOADS[0], ownId: 'warm' })
  for (const load of LOADS) {
    const without: number[] = []
    const own: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      without.push(await publishOnce(stage, { ...load, ownId: '' }))
      own.push(await publishOnce(stage, { ...load, ownId: `own${load.perRequest}-${round}` }))
    }
    const by = { name: 'without', value: medianOf(without) }
    lines.push(line(`published, own ids, ${load.perRequest} a request`, medianOf(own), { unit: '/s', by }))
  }
  const { deliveredPerS, ownIdsDeliveredPerS } = one
  const by = { name: 'without', value: deliveredPerS }
  return [...lines, line('delivered to one, own ids', ownIdsDeliveredPerS, { unit: '/s', by })]
}

type Load = { readonly perRequest: number; readonly events: number; readonly ownId: string }

/** Publishes to no subscription, so that nothing but the publish costs, and gives the rate. */
async function publishOnce(stage: Stage, { perRequest, events, ownId }: Load): Promise<number> {
  const make = (n: number) => sampleEvent(n, { ownId })
  const bulk = { events: stage.scaled(events), make, perRequest, withinMs: LOAD_MS_MAX }
  return (await publishBulk(stage, stage.workspace('own_ids'), bulk)).perS
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
