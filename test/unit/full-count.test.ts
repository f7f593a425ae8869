import { expect, test } from 'vitest'
import { FULL_COUNT_TESTS } from '../../scripts/proof/full-count.ts'
import { sourcesIn } from '../support/structure/sources.ts'

test('every test that `npm test` runs some cases of is run in full by a proof', () => {
  const shortened = sourcesIn('test')
    .filter(({ name }) => name.endsWith('.test.ts'))
    .filter(({ imports }) => imports.some(({ target }) => target === 'support/full-count.ts'))
    .map(({ name }) => `test/${name}`)
  expect(FULL_COUNT_TESTS.flatMap(({ files }) => files).sort()).toEqual(shortened.sort())
})
