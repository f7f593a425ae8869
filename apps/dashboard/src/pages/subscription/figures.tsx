import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useLive } from '../../api/use-live.ts'
import { Figure } from '../../components/figure.tsx'
import { Plot } from '../../components/plot/plot.tsx'
import { fillSteps, outcomeLines } from '../../components/plot/steps.ts'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { STEP_MS, slowestInWords, stepInWords } from '../../words/period.ts'
import { lengthInWords } from '../../words/time.ts'

const SHOWN_MS = 7 * STEP_MS.day

/** What has been delivered, how fast, and hour by hour. */
export function Figures({ id }: { id: string }) {
  const { data, error } = useQuery(
    'get',
    '/api/v1/webhooks/{id}/statistics',
    { params: { path: { id } } },
    useLive(),
  )
  if (data === undefined) return error === null ? null : <Problem error={error} />
  const { totalDelivered, totalFailed, successRate, latencyPercentiles } = data.data
  const { p50 } = latencyPercentiles
  const isNew = totalDelivered + totalFailed === 0
  return (
    <>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure label="Delivered" value={numberInWords(totalDelivered)} />
        <Figure label="Failed for good" value={numberInWords(totalFailed)} />
        <Figure label="Success rate" value={isNew ? '–' : `${successRate} %`} />
        <Figure
          label="Response time"
          value={p50 === null ? '–' : lengthInWords(p50)}
          note={slowestInWords(latencyPercentiles)}
        />
      </div>
      {data.data.timeSeries.length > 0 && <Week series={data.data.timeSeries} />}
    </>
  )
}

/** The last seven days, by hour. */
function Week({ series }: { series: Schemas['Statistics']['timeSeries'] }) {
  const to = Date.now()
  const { times, rows } = fillSteps(series, ({ hour }) => hour, {
    ...{ from: to - SHOWN_MS, to, stepMs: STEP_MS.hour },
  })
  const timeInWords = (seconds: number) => stepInWords(seconds, 'hour')
  const sum = (name: 'delivered' | 'failed') =>
    numberInWords(series.reduce((all, hour) => all + hour[name], 0))
  return (
    <div className="grid gap-6 xl:grid-cols-2">
      <Section title="Deliveries of seven days, by hour">
        <Plot
          {...{ times, timeInWords, form: 'bars', inWords: numberInWords }}
          lines={outcomeLines(rows)}
          summary={`${sum('delivered')} delivered and ${sum('failed')} failed for good.`}
        />
      </Section>
      <Section title="Response time of seven days">
        <Plot
          {...{ times, timeInWords, form: 'lines', inWords: lengthInWords }}
          lines={[
            {
              ...{ label: 'On average', tone: 'first' },
              values: rows.map((row) => row?.averageResponseTime ?? null),
            },
          ]}
          summary="The average of each hour."
        />
      </Section>
    </div>
  )
}
