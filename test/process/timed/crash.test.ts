import { expect, it } from 'vitest'
import { proveCrash } from '../../../scripts/proof/crash.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { atFullCount } from '../../support/full-count.ts'

it('loses nothing it accepted, and doubles nothing but what a crash cut off, over kills under load', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const rounds = atFullCount(3, { short: 1 })
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    proveCrash(context, { rounds, drainMs: 25_000, watchMs: 2_000 }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
}, 180_000)
