import type { Schemas } from '../../api/schemas.ts'
import { Figure } from '../../components/figure.tsx'
import { Time } from '../../components/time.tsx'
import { atLeast, numberInWords } from '../../words/numbers.ts'
import { type Period, periodInWords, slowestInWords } from '../../words/period.ts'
import { lengthInWords } from '../../words/time.ts'

type FiguresProps = { statistics: Schemas['WorkspaceStatistics']; period: Period }

/** The numbers that are looked at first: of the period, and of what waits now. */
export function Figures({ statistics, period }: FiguresProps) {
  const { totals, backlog } = statistics
  const { events, delivered, failed, successRate, latencyPercentiles } = totals
  const { p50 } = latencyPercentiles
  return (
    <section
      aria-label={`Figures of ${periodInWords(period)}`}
      className="grid grid-cols-2 gap-3 lg:grid-cols-3"
    >
      {events !== null && <Figure label="Events" value={numberInWords(events)} note="accepted" />}
      <Figure
        to="/deliveries"
        label="Delivered"
        value={numberInWords(delivered)}
        note={`${numberInWords(failed)} failed for good`}
      />
      <Figure
        label="Success rate"
        value={successRate === null ? '–' : `${successRate} %`}
        note={successRate === null ? 'nothing has ended in this time' : 'of the deliveries that have ended'}
      />
      <Figure
        label="Response time"
        value={p50 === null ? '–' : lengthInWords(p50)}
        note={slowestInWords(latencyPercentiles) ?? 'no receiver has answered in this time'}
      />
      <Figure
        to="/deliveries?status=pending,failed&waiting=true"
        label="Due now"
        value={atLeast(backlog.due)}
        note={
          backlog.oldestDueAt === null ? (
            'nothing waits to be sent'
          ) : (
            <>
              the oldest since <Time at={backlog.oldestDueAt} />
            </>
          )
        }
      />
      <Figure
        label="Waiting"
        value={atLeast(backlog.pending)}
        note={
          backlog.held.count === 0
            ? 'for a retry, or to be sent'
            : `${atLeast(backlog.held)} of them held by pauses and failing receivers`
        }
      />
    </section>
  )
}
