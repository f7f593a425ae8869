import { expect, it } from 'vitest'
import { proveCrash } from '../../../scripts/proof/crash.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'

it('loses nothing it accepted, and doubles nothing but what a crash cut off, over three kills under load', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    proveCrash(context, { rounds: 3, drainMs: 25_000, watchMs: 2_000 }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
})
