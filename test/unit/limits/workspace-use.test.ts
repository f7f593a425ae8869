import { expect, test } from 'vitest'
import { DAY_MS } from '../../../src/base/time.ts'
import type { Limits } from '../../../src/limits/limits.ts'
import { WorkspaceUse } from '../../../src/limits/workspace-use.ts'
import { workspaceWith } from './isolates.ts'

test.each<{ name: string; before: Partial<Limits>; later: Partial<Limits>[] }>([
  { name: 'was set', before: {}, later: [{ eventsPerDay: 10 }] },
  { name: 'was taken away and set again', before: { eventsPerDay: 10 }, later: [{}, { eventsPerDay: 10 }] },
])(
  'a day’s limit that $name while events were under way lets no more through on later days',
  ({ before, later }) => {
    let nowMs = Date.UTC(2026, 10, 2, 12)
    const now = () => nowMs
    const use = new WorkspaceUse(1, 'isolate')
    const underWay = use.admitEvents(workspaceWith(before), 8, now)
    for (const changed of later) use.admitEvents(workspaceWith(changed), 0, now).settle(0)
    underWay.settle(8)
    nowMs += DAY_MS
    const [left] = use.left(workspaceWith({ eventsPerDay: 10 }), nowMs)
    expect(left?.left).toBe(10)
  },
)
