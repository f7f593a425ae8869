import { expect, test } from 'vitest'
import { readJson } from '../../../src/api/body/body.ts'
import { BodyHold } from '../../../src/api/body/body-hold.ts'
import { ByteBudget } from '../../../src/base/concurrency/byte-budget.ts'

const ROOM = () => new ByteBudget(1e9, () => Date.now())

/** How often others had their turn while a body of a text of so many characters was read. */
async function turnsWhileReading(chars: number): Promise<number> {
  let turns = 0
  const ticking = setInterval(() => turns++, 0)
  const body = JSON.stringify({ text: 'x'.repeat(chars) })
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  const request = new Request('http://relay.test/', { method: 'POST', body, headers })
  const hold = new BodyHold({ small: ROOM(), medium: ROOM(), large: ROOM() })
  const { text } = await readJson(request, { bytesMax: 10_000_000, hold })
  clearInterval(ticking)
  expect(text).toBe(body)
  return turns
}

test('others have their turn between the steps of reading a large body', async () => {
  expect(await turnsWhileReading(4_000_000)).toBeGreaterThanOrEqual(2)
})

test('a small body is read without a pause', async () => {
  expect(await turnsWhileReading(1_000)).toBe(0)
})
