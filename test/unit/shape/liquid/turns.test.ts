import { expect, test } from 'vitest'
import { compileTransform } from '../../../../src/shape/transform.ts'

/** Lists within lists, and a path through all of them that leads nowhere. */
const DEPTH = 28
const deep = () => Array.from({ length: DEPTH }).reduce<unknown>((inner) => ({ a: inner }), { z: 1 })
const PATH = `data.items.${'a.'.repeat(DEPTH)}q`
const text = JSON.stringify({ id: 'e', event: 'x.y', data: { items: Array.from({ length: 600 }, deep) } })

function walk(template: unknown) {
  const task = compileTransform({ template }).inTurns({ text })
  const turnsMs: number[] = []
  for (;;) {
    const startedAtMs = performance.now()
    const { done, value } = task.next()
    turnsMs.push(performance.now() - startedAtMs)
    if (done) return { turnsMs, result: value }
  }
}

test('the costliest rendering gives others their turn all along', () => {
  const walks = `{% if ${PATH} %}{% endif %}`.repeat(20)
  const { turnsMs, result } = walk({ x: `{% for i in (1..10000) %}${walks}{% endfor %}` })
  expect(result).toMatchObject({ kind: 'failed', message: expect.stringContaining('must do less work') })
  expect(turnsMs.length).toBeGreaterThanOrEqual(15)
})

test('a usual rendering takes one turn, and gives what it gives at once', () => {
  const template = { id: '{{ id }}', first: '{{ data.items | size }}', text: 'It is {{ event }}.' }
  const { turnsMs, result } = walk(template)
  expect(turnsMs).toHaveLength(1)
  expect(result).toEqual(compileTransform({ template })({ text }))
})
