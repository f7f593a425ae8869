/**
 * Writes Prometheus' text format 0.0.4 (its "text-based exposition format"), the answer of `GET
 * /metrics`. Names are ours and checked: a wrong one is a bug and throws.
 */

/** The content type by which a scraper knows the format. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** One value of a metric. `suffix` is for the parts of a histogram. */
export type Sample = {
  labels?: Readonly<Record<string, string>>
  value: number
  suffix?: '_bucket' | '_sum' | '_count'
}

/** A metric with its values. One without values is left out, since a zero would claim knowledge. */
export type Metric = {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  samples: readonly Sample[]
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Writes metrics, each with HELP and TYPE. No name twice: a scraper would refuse the whole text.
 */
export function writeMetrics(metrics: readonly Metric[]): string {
  const written = metrics.filter(({ samples }) => samples.length > 0)
  if (new Set(written.map(({ name }) => name)).size < written.length) {
    throw new Error('a metric is written twice')
  }
  return written.map(writeMetric).join('')
}

/** A gauge with one value; null for one that is not known. */
export function gauge(name: string, help: string, value: number | null): Metric {
  return { name, help, type: 'gauge', samples: value === null ? [] : [{ value }] }
}

/** A gauge or counter with one value for each value of a label. */
export function labelled(
  type: 'gauge' | 'counter',
  { name, help, label }: { name: string; help: string; label: string },
  values: Readonly<Record<string, number>>,
): Metric {
  const samples = Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }))
  return { name, help, type, samples }
}

/**
 * The samples of a histogram: cumulative buckets, sum and count.
 *
 * @param bounds upper bounds, rising; the last bucket of `counts` is above them all
 * @param counts values that fell into each bucket alone
 */
export function histogramSamples(
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): Sample[] {
  let total = 0
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, i): Sample => {
    total += counts[i] ?? 0
    return { suffix: '_bucket', labels: { le: number(bound) }, value: total }
  })
  return [...buckets, { suffix: '_sum', value: sum }, { suffix: '_count', value: total }]
}

function writeMetric({ name, help, type, samples }: Metric): string {
  if (!METRIC_NAME.test(name)) throw new Error(`not a name for a metric: ${name}`)
  const lines = samples.map(
    ({ suffix = '', labels = {}, value }) => `${name}${suffix}${writeLabels(labels)} ${number(value)}\n`,
  )
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function writeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (!LABEL_NAME.test(name)) throw new Error(`not a name for a label: ${name}`)
    return `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`
  })
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Escapes backslashes first, so that those written for line breaks stay. */
function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
