import { BroadcastIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { SubscriptionTable } from './subscription-table.tsx'

const PAGE_ROWS = 50

/** All subscriptions, each with how its receiver is doing. */
export function Page() {
  const { query } = useFilters([])
  const list = useQuery(
    'get',
    '/api/v1/webhooks',
    { params: { query: { limit: PAGE_ROWS, ...query } } },
    useLive(),
  )
  return (
    <Frame
      title="Subscriptions"
      lead="Where events go, and how the receivers are doing."
      actions={
        useMay('webhooks:write') && (
          <LinkButton to="/subscriptions/new" isPrimary>
            New subscription
          </LinkButton>
        )
      }
    >
      <List query={list} empty={<NoSubscriptions />}>
        {(rows) => <SubscriptionTable rows={rows} />}
      </List>
    </Frame>
  )
}

function NoSubscriptions() {
  const mayCreate = useMay('webhooks:write')
  return (
    <EmptyState
      icon={BroadcastIcon}
      title="No subscriptions yet"
      description={`A subscription names a URL and the events that are sent there.${mayCreate ? ' Create the first with New subscription, or over the API.' : ''}`}
    />
  )
}
