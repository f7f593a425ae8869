import { useQuery } from '../../api/client.ts'
import { useMay, useSession } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { Segments } from '../../components/list/segments.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { PERIODS, type Period, periodOf } from '../../words/period.ts'
import { Figures } from './figures.tsx'
import { NeedsYou } from './needs-you.tsx'
import { Plots } from './plots.tsx'
import { RecentEvents } from './recent-events.tsx'
import { Standings } from './standings.tsx'
import { TopLists } from './top-lists.tsx'

/** Long periods change slowly, and cost the relay more. */
const ASK_MS = { '1h': 4_000, '24h': 4_000, '7d': 15_000, '90d': 30_000 } as const satisfies Record<
  Period,
  number
>

/** What is going on, and what needs a person now. */
export function Page() {
  const { workspaceId, portal } = useSession()
  const { values, set } = useFilters(['period'])
  const period = periodOf(values.period)
  const maySeeFigures = useMay('deliveries:read')
  return (
    <Frame
      title="Overview"
      lead={
        portal === null
          ? `What is going on in the workspace ${workspaceId}.`
          : 'What is going on with your subscriptions.'
      }
      actions={
        maySeeFigures && (
          <Segments
            legend="Period"
            options={PERIODS}
            value={period}
            onChange={(next) => set({ period: next === '24h' ? '' : next })}
          />
        )
      }
    >
      {maySeeFigures ? <Statistics period={period} /> : <NeedsYou attention={[]} />}
      {useMay('events:read') && <RecentEvents />}
    </Frame>
  )
}

function Statistics({ period }: { period: Period }) {
  const { data, error, isPending, refetch } = useQuery(
    'get',
    '/api/v1/statistics',
    { params: { query: { window: period } } },
    useLive(ASK_MS[period]),
  )
  if (isPending) return <Waiting label="Loading the figures" />
  if (data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  const statistics = data.data
  return (
    <>
      {error !== null && <Problem error={error} />}
      <NeedsYou attention={statistics.attention} />
      <Figures statistics={statistics} period={period} />
      <Plots statistics={statistics} period={period} />
      <Standings standings={statistics.subscriptions} />
      <TopLists statistics={statistics} period={period} />
    </>
  )
}
