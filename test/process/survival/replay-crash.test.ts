import { expect, it } from 'vitest'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { proveReplayCrash } from '../../../scripts/proof/replay.ts'
import { atFullCount } from '../../support/full-count.ts'

it('replays each delivery once, but for what was in flight, when the relay is killed in the middle of it', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    proveReplayCrash(context, {
      events: atFullCount(2_000, { short: 500 }),
      kills: 1,
      ratePerSecond: atFullCount(500, { short: 250 }),
      drainMs: 40_000,
      watchMs: 2_000,
    }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
}, 180_000)
