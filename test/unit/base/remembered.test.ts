import { expect, test } from 'vitest'
import { remembered } from '../../../src/base/remembered.ts'

/** Computes nothing but what was asked of it. */
function counted(max: number) {
  const asked: string[] = []
  const compute = remembered(max, (text) => {
    asked.push(text)
    return text === 'nothing' ? undefined : { text }
  })
  return { asked, compute }
}

test('a text is computed once, also where its result is nothing', () => {
  const { asked, compute } = counted(2)
  for (const text of ['a', 'nothing', 'a', 'nothing']) compute(text)
  expect(asked).toEqual(['a', 'nothing'])
  expect(compute('a')).toBe(compute('a'))
})

test('no more texts are remembered than was said, nor long ones', () => {
  const { asked, compute } = counted(2)
  for (const text of ['a', 'b', 'c', 'a']) compute(text)
  expect(asked).toEqual(['a', 'b', 'c', 'a'])
  const long = 'x'.repeat(1_001)
  compute(long)
  expect(compute(long)).toEqual({ text: long })
  expect(asked.filter((text) => text === long)).toHaveLength(2)
})
