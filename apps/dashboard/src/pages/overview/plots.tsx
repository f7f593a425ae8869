import type { Schemas } from '../../api/schemas.ts'
import type { Line } from '../../components/plot/plot.tsx'
import { Plot } from '../../components/plot/plot.tsx'
import { fillSteps, outcomeLines } from '../../components/plot/steps.ts'
import { Section } from '../../components/section.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { type Period, periodInWords, STEP_MS, slowestInWords, stepInWords } from '../../words/period.ts'
import { lengthInWords } from '../../words/time.ts'

type Statistics = Schemas['WorkspaceStatistics']
type Step = Statistics['timeSeries'][number]

/** Deliveries and response times over the period; an hour has no course to be drawn. */
export function Plots({ statistics, period }: { statistics: Statistics; period: Period }) {
  const { timeSeries, interval, from, to, totals } = statistics
  if (period === '1h' || timeSeries.length === 0) return null
  const range = { from: Date.parse(from), to: Date.parse(to), stepMs: STEP_MS[interval] }
  const { times, rows } = fillSteps(timeSeries, ({ at }) => at, range)
  const timeInWords = (seconds: number) => stepInWords(seconds, interval)
  const { delivered, failed, latencyPercentiles } = totals
  return (
    <div className="grid gap-6 xl:grid-cols-2">
      <Section title={`Deliveries by ${interval}`}>
        <Plot
          {...{ times, timeInWords, form: 'bars', inWords: numberInWords }}
          lines={outcomeLines(rows)}
          summary={`In ${periodInWords(period)}: ${numberInWords(delivered)} delivered and ${numberInWords(failed)} failed for good.`}
        />
      </Section>
      <Section title="Response time">
        <Plot
          {...{ times, timeInWords, form: 'lines', inWords: lengthInWords }}
          lines={latencyLines(rows)}
          summary={slowestInWords(latencyPercentiles) ?? 'No receiver has answered in this time.'}
        />
      </Section>
    </div>
  )
}

function latencyLines(rows: readonly (Step | undefined)[]): Line[] {
  const of = (name: 'p50' | 'p95' | 'p99') => rows.map((row) => row?.latencyPercentiles[name] ?? null)
  return [
    { label: 'Half of them within', tone: 'first', values: of('p50') },
    { label: '95 of 100', tone: 'second', values: of('p95') },
    { label: '99 of 100', tone: 'third', values: of('p99') },
  ]
}
