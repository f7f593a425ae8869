import { expect, it } from 'vitest'
import { proveHanging } from '../../../scripts/proof/hanging.ts'
import { inFolder } from '../../../scripts/proof/proof.ts'
import { atFullCount } from '../../support/full-count.ts'

it('delivers to a healthy receiver in time beside many that hang', async () => {
  const result = await inFolder({ seed: 1, progress: () => undefined }, (context) =>
    proveHanging(context, {
      ...{
        hanging: 60,
        before: 'unproven',
        healthy: 1,
        slots: 6,
        measureMs: atFullCount(10_000, { short: 5_000 }),
        everyMs: 200,
      },
      ...{ p99MaxMs: 1_000, maxMs: 5_000 },
    }),
  )
  expect(result.violations, JSON.stringify(result.figures)).toEqual([])
})

it('delivers to a healthy paced receiver in time beside batched ones that hang', async () => {
  const result = await inFolder({ seed: 1, progress: () => undefined }, (context) =>
    proveHanging(context, {
      ...{
        hanging: 40,
        before: 'unproven',
        healthy: 1,
        slots: 6,
        measureMs: atFullCount(8_000, { short: 5_000 }),
        everyMs: 200,
      },
      paced: {
        hanging: { batchSettings: { enabled: true, maxEvents: 2, maxWaitTime: 1 } },
        healthy: { concurrency: 50 },
      },
      ...{ perPublish: 10, p99MaxMs: 5_000, maxMs: 8_000 },
    }),
  )
  expect(result.violations, JSON.stringify(result.figures)).toEqual([])
})
