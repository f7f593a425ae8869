import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseSeconds, parseTime } from '../../../packages/cli/src/arguments/time.ts'
import { paintFor } from '../../../packages/cli/src/render/colour.ts'
import { oneLine, printable, renderTable } from '../../../packages/cli/src/render/table.ts'
import { relative, span } from '../../../packages/cli/src/render/time.ts'
import { renderJson } from '../../../packages/cli/src/render/write.ts'
import { hasColour } from '../../../packages/cli/src/shell/process-shell.ts'
import { renderYaml } from '../../../packages/cli/src/yaml/render-yaml.ts'

type Row = { id: string; text: string; count: number }
const columns = [
  { title: 'ID', cell: ({ id }: Row) => id },
  { title: 'TEXT', cell: ({ text }: Row) => text, shrinks: true },
  { title: 'COUNT', cell: ({ count }: Row) => String(count), alignsRight: true },
]
const rows = [
  { id: 'log_1', text: 'a text that is longer than there is room for', count: 7 },
  { id: 'log_2', text: '日本語の文字は幅が二倍になります。ですから切られます', count: 12345 },
]
const paint = paintFor({ hasColour: false })

describe('a table', () => {
  test('is as wide as it needs, where there is room', () => {
    expect(renderTable(columns, rows.slice(0, 1), { width: Number.POSITIVE_INFINITY, paint })).toBe(
      'ID     TEXT                                          COUNT\n' +
        'log_1  a text that is longer than there is room for      7\n',
    )
  })

  test('is cut to the terminal, with ids whole and signs of double width counted as two', () => {
    expect(renderTable(columns, rows, { width: 30, paint })).toBe(
      'ID     TEXT              COUNT\nlog_1  a text that is …      7\nlog_2  日本語の文字は…   12345\n',
    )
  })

  test('leaves optional columns out, the first one first, where cutting is not enough', () => {
    const [id, text, count] = columns
    if (id === undefined || text === undefined || count === undefined) throw new Error('a column is missing')
    const wide = [id, { ...text, isOptional: true }, { ...count, isOptional: true }]
    expect(renderTable(wide, rows.slice(0, 1), { width: 30, paint })).toContain('TEXT')
    expect(renderTable(wide, rows.slice(0, 1), { width: 20, paint })).toBe('ID     COUNT\nlog_1      7\n')
    expect(renderTable(wide, rows.slice(0, 1), { width: 8, paint })).toBe('ID\nlog_1\n')
  })

  test('shows no sign of others that would move the cursor', () => {
    expect(oneLine('a\n\x1b[31mb\x1b[0m\x07\tc')).toBe('a b c')
  })

  test('is laid out for more rows than a function takes arguments', () => {
    const many = Array.from({ length: 200_000 }, () => rows[0] as Row)
    expect(renderTable(columns.slice(0, 1), many, { width: 80, paint }).length).toBe(6 * 200_001 - 3)
  })
})

describe('a text of others', () => {
  const hostile = 'a\x1b]52;c;ZXZpbA==\x07 \x9b2J\x9d\r\u202eb'

  test('keeps its lines and blanks, and nothing that a terminal obeys', () => {
    expect(printable('{\r\n  "a": 1\n\t}')).toBe('{\n  "a": 1\n\t}')
    expect(printable(hostile)).not.toMatch(/\p{Cc}|\u202e/u)
  })

  test('is whole in JSON and YAML, with such signs escaped', () => {
    expect(JSON.parse(renderJson({ hostile }))).toEqual({ hostile })
    expect(renderJson({ hostile })).not.toMatch(/\p{Cc}|\u202e/u)
    expect(parse(renderYaml({ hostile }))).toEqual({ hostile })
    expect(renderYaml({ hostile }).trimEnd()).not.toMatch(/\p{Cc}/u)
  })
})

test('colours depend on the terminal, NO_COLOR and FORCE_COLOR', () => {
  expect(hasColour(true, {})).toBe(true)
  expect(hasColour(false, {})).toBe(false)
  expect(hasColour(true, { NO_COLOR: '1' })).toBe(false)
  expect(hasColour(true, { NO_COLOR: '' })).toBe(true)
  expect(hasColour(true, { TERM: 'dumb' })).toBe(false)
  expect(hasColour(false, { FORCE_COLOR: '1' })).toBe(true)
  expect(paintFor({ hasColour: true })('bad', 'x')).toBe('\x1b[31mx\x1b[39m')
})

test('times are said as people say them, and read likewise', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00Z')
  expect([span(59_999), span(60_000), span(3_600_000), span(200_000_000)]).toEqual([
    '59 s',
    '1 min',
    '1 h',
    '2 d',
  ])
  expect(relative('2026-01-01T23:00:00Z', nowMs)).toBe('1 h ago')
  expect(relative('2026-01-02T00:05:00Z', nowMs)).toBe('in 5 min')
  expect(parseTime('2h', nowMs)).toBe('2026-01-01T22:00:00.000Z')
  expect(parseTime('2026-01-01', nowMs)).toBe('2026-01-01')
  for (const wrong of ['yesterday', '2x', '2026-13-01']) expect(() => parseTime(wrong, nowMs)).toThrow()
  expect([parseSeconds('90'), parseSeconds('2h')]).toEqual([90, 7200])
})
