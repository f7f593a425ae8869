import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  gauge,
  histogramSamples,
  labelled,
  type Metric,
  writeMetrics,
} from '../../../src/operate/prometheus.ts'

type Line = { name: string; labels: Record<string, string>; value: number }

/** A scraper as strict as the format: character by character, nothing skipped. */
function scrape(text: string): { samples: Line[]; help: Map<string, string>; types: Map<string, string> } {
  const help = new Map<string, string>()
  const types = new Map<string, string>()
  const samples: Line[] = []
  expect(text === '' || text.endsWith('\n')).toBe(true)
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      const into = kind === 'HELP' ? help : types
      expect(into.has(name), line).toBe(false)
      into.set(name, kind === 'HELP' ? unescaped(rest) : rest)
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s.exec(line)
    expect(sample, line).not.toBeNull()
    const [, name = '', labels = '', value = ''] = sample ?? []
    expect([...types.keys()].some((known) => name.startsWith(known))).toBe(true)
    const number = Number(value.replace('Inf', 'Infinity'))
    samples.push({ name, labels: readLabels(labels), value: number })
  }
  return { samples, help, types }
}

function readLabels(text: string): Record<string, string> {
  const labels: [string, string][] = []
  let rest = text
  while (rest !== '') {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/s.exec(rest)
    expect(pair, rest).not.toBeNull()
    const [whole = '', name = '', value = ''] = pair ?? []
    labels.push([name, unescaped(value)])
    rest = rest.slice(whole.length)
  }
  return Object.fromEntries(labels)
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character))
}

const nameOf = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/)
const labelOf = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,8}$/)
const nasty = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', 'ä', '#') })
const metricOf: fc.Arbitrary<Metric> = fc.record({
  name: nameOf,
  help: nasty,
  type: fc.constantFrom('counter', 'gauge'),
  samples: fc.array(fc.record({ labels: fc.dictionary(labelOf, nasty), value: fc.double({ noNaN: true }) }), {
    minLength: 1,
    maxLength: 4,
  }),
})

describe('the writer', () => {
  test('what it writes is read back as it was given, whatever the texts hold', () => {
    fc.assert(
      fc.property(fc.uniqueArray(metricOf, { selector: ({ name }) => name, maxLength: 5 }), (metrics) => {
        const { samples, help, types } = scrape(writeMetrics(metrics))
        expect(samples).toEqual(
          metrics.flatMap((metric) =>
            metric.samples.map(({ labels, value }) => ({
              name: metric.name,
              labels: { ...labels },
              // -0 is written as 0.
              value: value === 0 ? 0 : value,
            })),
          ),
        )
        expect([...help]).toEqual(metrics.map((metric) => [metric.name, metric.help]))
        expect([...types]).toEqual(metrics.map((metric) => [metric.name, metric.type]))
      }),
    )
  })

  test('escapes label values and help as the format asks', () => {
    const metric = labelled('gauge', { name: 'm', help: 'a\\b\nc "d"', label: 'l' }, { 'x\\y\n"z"': 1 })
    expect(writeMetrics([metric])).toBe(
      '# HELP m a\\\\b\\nc "d"\n# TYPE m gauge\nm{l="x\\\\y\\n\\"z\\""} 1\n',
    )
  })

  test('what is not known is left out as a whole', () => {
    expect(writeMetrics([gauge('a', 'b', null), gauge('c', 'd', 0)])).toBe(
      '# HELP c d\n# TYPE c gauge\nc 0\n',
    )
  })

  test.each([
    ['a name', [gauge('1a', '', 1)]],
    ['a label', [labelled('gauge', { name: 'a', help: '', label: 'a-b' }, { x: 1 })]],
    ['a reserved label', [labelled('gauge', { name: 'a', help: '', label: '__a' }, { x: 1 })]],
    ['a metric twice', [gauge('a', '', 1), gauge('a', '', 2)]],
  ])('%s that a scraper would refuse is a bug', (_, metrics) => {
    expect(() => writeMetrics(metrics)).toThrow()
  })
})

describe('a histogram', () => {
  test('is cumulative, ends with +Inf, and its count is the last bucket', () => {
    const samples = histogramSamples([0.005, 1], [2, 0, 3], 9.5)
    const text = writeMetrics([{ name: 'h', help: '', type: 'histogram', samples }])
    expect(text.split('\n').slice(2, -1)).toEqual([
      'h_bucket{le="0.005"} 2',
      'h_bucket{le="1"} 2',
      'h_bucket{le="+Inf"} 5',
      'h_sum 9.5',
      'h_count 5',
    ])
  })

  test('never falls from bucket to bucket, and counts everything', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }), (counts) => {
        const values = histogramSamples([1, 2], counts, 0).map(({ value }) => value)
        const [first = 0, second = 0, last = 0, , count] = values
        expect(first <= second && second <= last).toBe(true)
        expect([last, count]).toEqual([counts.reduce((a, b) => a + b), last])
      }),
    )
  })
})
