import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAttemptDetail, writeAttemptDetail } from '../../../src/model/attempt-detail.ts'

const details = fc.record({
  version: fc.nat(),
  firstByteMs: fc.option(fc.nat()),
  status: fc.option(fc.integer({ min: 100, max: 599 })),
  headers: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 }),
})

test('a detail is read as it was written', () => {
  fc.assert(
    fc.property(details, (detail) => {
      expect(readAttemptDetail(writeAttemptDetail(detail))).toEqual(detail)
    }),
    { numRuns: 100 },
  )
})

test.each([null, '', '{', '{}', '[]', '["a",1,2]', '[1,2,3,4]'])(
  'what is none, %j, is read as none',
  (text) => {
    expect(readAttemptDetail(text)).toBeNull()
  },
)
