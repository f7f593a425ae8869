import { expect, test } from 'vitest'
import { provePacing } from '../../../scripts/proof/paced/pacing.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { atFullCount } from '../../support/full-count.ts'

test('each event goes in one batch, none is lost and order is kept over kills under load', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const amount = atFullCount({ events: 1_000, kills: 2 }, { short: { events: 300, kills: 1 } })
  const result = await inFolder({ seed, progress: () => undefined }, (context) =>
    provePacing(context, { ...amount, drainMs: 25_000, watchMs: 2_000 }),
  )
  expect(result.violations, `seed ${seed}`).toEqual([])
}, 180_000)
