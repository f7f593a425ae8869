import { expect, test } from 'vitest'
import { seqFloor } from '../../../src/base/ids/seq.ts'
import { commitTimes } from '../../../src/publish/commit/group-commit.ts'

const NOW_MS = Date.UTC(2026, 10, 21)

test('an Idempotency-Key counts for 24 hours, whoever leads the commit', () => {
  expect(commitTimes(NOW_MS)).toEqual({
    acceptedAtMs: NOW_MS,
    seqFloor: seqFloor(NOW_MS),
    keyFloor: seqFloor(NOW_MS - 86_400_000),
  })
})
