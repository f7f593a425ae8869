import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { Figure } from '../../components/figure.tsx'
import { HourPlot } from '../../components/plot/hour-plot.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { lengthInWords } from '../../words/time.ts'

/** What has been delivered, how fast, and hour by hour. */
export function Figures({ id }: { id: string }) {
  const { data, error } = useQuery(
    'get',
    '/api/v1/webhooks/{id}/statistics',
    { params: { path: { id } } },
    useLive(),
  )
  if (data === undefined) return error === null ? null : <Problem error={error} />
  const { totalDelivered, totalFailed, successRate, latencyPercentiles, timeSeries } = data.data
  const { p50, p95 } = latencyPercentiles
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
          note={p95 === null ? undefined : `95 of 100 within ${lengthInWords(p95)}`}
        />
      </div>
      {!isNew && (
        <Section title="The last seven days, by hour">
          <HourPlot hours={timeSeries} />
        </Section>
      )}
    </>
  )
}
