import { LayerCard } from '@cloudflare/kumo/components/layer-card'
import type { ReactNode } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'
import { fullTime } from '../../words/time.ts'
import { Problem } from '../problem.tsx'
import { Waiting } from '../waiting.tsx'

type Answer<Row> = { data: Row[]; pagination?: Schemas['Pagination'] | undefined }

/** A list as it is asked for. */
export type ListQuery<Row> = {
  data?: Answer<Row> | undefined
  error: unknown
  isPending: boolean
  refetch: () => unknown
}

type ListProps<Row> = {
  query: ListQuery<Row>
  /** Shown where the list has nothing. */
  empty: ReactNode
  /** By time, the newest first, unless it is by name. */
  order?: Order
  children: (rows: Row[]) => ReactNode
}

const TURNS = {
  time: { first: 'Newest', next: 'Older' },
  name: { first: 'First', next: 'More' },
} as const
type Order = keyof typeof TURNS

/** A page of a list: its rows, and the way to older ones. The cursor is in the address, so that Back goes back. */
export function List<Row>({ query, empty, order = 'time', children }: ListProps<Row>) {
  const [search] = useSearchParams()
  if (query.isPending) return <Waiting label="Loading" />
  if (query.error !== null && query.data === undefined)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />
  const { data = [], pagination } = query.data ?? {}
  const isEmpty = data.length === 0 && !search.has('cursor') && !pagination?.nextCursor
  return (
    <div className="flex flex-col gap-3">
      {query.error !== null && <Problem error={query.error} />}
      <LayerCard className="overflow-hidden p-0">
        {isEmpty ? empty : data.length === 0 ? <NothingHere /> : children(data)}
      </LayerCard>
      <Turn pagination={pagination} order={order} />
    </div>
  )
}

function NothingHere() {
  return <p className="p-6 text-center text-kumo-subtle">Nothing on this page of the list.</p>
}

type TurnProps = { pagination: Schemas['Pagination'] | undefined; order: Order }

function Turn({ pagination, order }: TurnProps) {
  const [search] = useSearchParams()
  const next = pagination?.nextCursor ?? null
  const searchedUntil = pagination?.searchedUntil ?? null
  if (next === null && !search.has('cursor')) return null
  const to = (cursor: string | null) => {
    const params = new URLSearchParams(search)
    if (cursor === null) params.delete('cursor')
    else params.set('cursor', cursor)
    return { search: params.toString() }
  }
  return (
    <nav aria-label="Pages of the list" className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
      {search.has('cursor') && (
        <Link to={to(null)} className={TURN}>
          {TURNS[order].first}
        </Link>
      )}
      {next !== null && (
        <Link to={to(next)} className={TURN}>
          {TURNS[order].next}
        </Link>
      )}
      {searchedUntil !== null && (
        <span className="text-kumo-subtle">Searched back to {fullTime(searchedUntil)}</span>
      )}
    </nav>
  )
}

const TURN = 'rounded-md px-3 py-1.5 ring ring-kumo-line bg-kumo-base hover:bg-kumo-tint'
