import { ClockCounterClockwiseIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { usePolled } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { StatusBadge } from '../../components/status-badge.tsx'
import { Time } from '../../components/time.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { askedInWords, type Replay, replayInWords } from '../../words/replay.ts'

const PAGE_ROWS = 50

const COLUMNS: [Column<Replay>, ...Column<Replay>[]] = [
  { header: 'Asked for', cell: askedInWords },
  { header: 'State', cell: (replay) => <StatusBadge words={replayInWords(replay)} /> },
  {
    header: 'Sent again',
    from: 'sm',
    isNumber: true,
    cell: ({ replayed }) => numberInWords(replayed),
  },
  { header: 'Started', from: 'sm', cell: ({ createdAt }) => <Time at={createdAt} /> },
]

/** All replays, those that run and those that have ended. */
export function Page() {
  const { query } = useFilters([])
  const list = useQuery(
    'get',
    '/api/v1/replays',
    { params: { query: { limit: PAGE_ROWS, ...query } } },
    usePolled(),
  )
  return (
    <Frame title="Replays" lead="Past deliveries that were sent again, or are being sent.">
      <List query={list} empty={<NoReplays />}>
        {(rows) => (
          <DataTable
            caption="Replays"
            rows={rows}
            columns={COLUMNS}
            keyOf={({ id }) => id}
            linkOf={({ id }) => `/replays/${id}`}
          />
        )}
      </List>
    </Frame>
  )
}

function NoReplays() {
  return (
    <EmptyState
      icon={ClockCounterClockwiseIcon}
      title="Nothing was replayed yet"
      description="A subscription’s page has Replay: it says how much would be sent again before it does so."
    />
  )
}
