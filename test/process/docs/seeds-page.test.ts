import { expect, test } from 'vitest'
import { Reasons } from '../../../scripts/seeds/reasons.ts'
import { SEED_000 } from '../../../scripts/seeds/seed-000.ts'
import { SEED_001 } from '../../../scripts/seeds/seed-001.ts'
import { SEED_002 } from '../../../scripts/seeds/seed-002.ts'
import { SEED_003 } from '../../../scripts/seeds/seed-003.ts'
import { SEED_004 } from '../../../scripts/seeds/seed-004.ts'

/** Each seed with the number of its last row. */
const SEEDS = [
  [SEED_000, 28],
  [SEED_001, 40],
  [SEED_002, 106],
  [SEED_003, 25],
  [SEED_004, 88],
] as const

test('docs/seeds.md says of each row that is not the word of its seed how it is, and of no other', () => {
  const otherwise = SEEDS.flatMap(([{ name, rows }]) =>
    rows.filter(({ kind }) => kind !== 'works').map(({ row }) => `${name}/${row}`),
  )
  expect(new Reasons().rows).toEqual(otherwise)
})

test.each(SEEDS)('every row of $name is tried, or said to be impossible', ({ rows }, last) => {
  const numbers = rows.flatMap(({ row }) => {
    const [from = 0, to = from] = row.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, n) => from + n)
  })
  expect([...new Set(numbers)]).toEqual(Array.from({ length: last }, (_, n) => n + 1))
})
