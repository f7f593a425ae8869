import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { watchD1, writesEvents } from '../../support/rig/d1-watch.ts'

const SUBSCRIPTIONS = 60
const EVENTS = 400
/** Some twenty milliseconds of the database and of the isolate. */
const DELIVERIES_PER_COMMIT_MAX = 21_000

test('events for many subscriptions are committed in pieces, between which other publishes have their turn', async () => {
  await freshStore()
  const commits: number[] = []
  const db = watchD1(env.DB, async (call, run) => {
    const results = await run()
    if (writesEvents(call)) commits.push(results.reduce((sum, { meta }) => sum + meta.changes, 0))
    return results
  })
  const rig = await createRig({ db })
  for (let n = 0; n < SUBSCRIPTIONS; n++) await rig.subscribe()
  const outcomes = await rig.publish(...Array.from({ length: EVENTS }, (_, n) => ({ data: { n } })))
  expect(outcomes.every((outcome) => outcome.kind === 'accepted' && outcome.matched === SUBSCRIPTIONS)).toBe(
    true,
  )
  expect(commits.reduce((sum, events) => sum + events, 0)).toBe(EVENTS)
  expect(Math.max(...commits) * SUBSCRIPTIONS).toBeLessThanOrEqual(DELIVERIES_PER_COMMIT_MAX)
  expect(commits.length).toBeLessThanOrEqual(3)
})
