import { expect, test } from 'vitest'
import { readJson } from '../../../src/api/body/body.ts'
import { BodyHold } from '../../../src/api/body/body-hold.ts'
import { ByteBudget } from '../../../src/base/concurrency/byte-budget.ts'

const ROOM = () => new ByteBudget(1e9, () => Date.now())

/** How often others had their turn while a body was read. */
async function turnsWhileReading(body: string): Promise<number> {
  let turns = 0
  const ticking = setInterval(() => turns++, 0)
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  const request = new Request('http://relay.test/', { method: 'POST', body, headers })
  const hold = new BodyHold({ small: ROOM(), medium: ROOM(), large: ROOM() })
  const { text, value } = await readJson(request, { bytesMax: 10_000_000, hold })
  clearInterval(ticking)
  expect(text).toBe(body)
  expect(JSON.stringify(value)).toBe(body)
  return turns
}

const long = (chars: number) => JSON.stringify({ text: 'x'.repeat(chars) })

test('others have their turn between the steps of reading a large body', async () => {
  expect(await turnsWhileReading(long(4_000_000))).toBeGreaterThanOrEqual(2)
})

test('and while one of many objects is parsed, a piece at a time', async () => {
  const items = Array.from({ length: 50_000 }, (_, i) => ({ a: { i } }))
  const body = JSON.stringify({ items })
  expect(await turnsWhileReading(body)).toBeGreaterThan(body.length / 200_000)
})

test('a small body is read without a pause', async () => {
  expect(await turnsWhileReading(long(1_000))).toBe(0)
})
