import { isFullCount } from '../full-count.ts'
import type { Rig } from './builders.ts'

const MINUTE_MS = 60_000

/**
 * Lets the sweeper repair what a fault has left, waiting so many minutes before each sweep. Short of a proof it goes on
 * until nothing is left, and then sweeps once at the end of all these minutes, which must do nothing over again.
 */
export async function repair(
  rig: Pick<Rig, 'clock' | 'sweep' | 'drain'>,
  minutes: readonly number[],
  isRepaired: () => Promise<boolean>,
): Promise<void> {
  const endMs = rig.clock.nowMs + minutes.reduce((sum, each) => sum + each, 0) * MINUTE_MS
  for (const each of minutes) {
    rig.clock.nowMs += each * MINUTE_MS
    await sweep(rig)
    if (isFullCount || rig.clock.nowMs === endMs || !(await isRepaired())) continue
    rig.clock.nowMs = endMs
    await sweep(rig)
    return
  }
}

async function sweep(rig: Pick<Rig, 'sweep' | 'drain'>): Promise<void> {
  await rig.sweep()
  await rig.drain()
}
