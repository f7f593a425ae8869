import { expect, it } from 'vitest'
import { proveDoubledHints } from '../../../scripts/proof/doubled-hints.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { atFullCount } from '../../support/full-count.ts'

it('makes no delivery twice when hints are doubled, overlap and come out of order', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    proveDoubledHints(context, { events: atFullCount(600, { short: 200 }) }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
}, 400_000)
