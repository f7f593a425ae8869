import { useParams } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { Explain } from '../../components/explain.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { ReplayButton } from '../../components/replay/replay-button.tsx'
import { useNow } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { healthOf } from '../../words/health.ts'
import { titleOf } from '../../words/subscription.ts'
import { Actions } from './actions.tsx'
import { DeleteButton } from './delete-button.tsx'
import { Figures } from './figures.tsx'
import { FlushButton } from './flush-button.tsx'
import { Reach } from './reach.tsx'
import { RecentDeliveries } from './recent-deliveries.tsx'
import { Secret } from './secret.tsx'
import { Settings } from './settings.tsx'

const BACK = { to: '/subscriptions', label: 'Subscriptions' }

/** One subscription: how its receiver is doing, what was sent to it, and how it is set. */
export function Page() {
  const { id = '' } = useParams()
  const now = useNow()
  const maySeeDeliveries = useMay('deliveries:read')
  const { data, error, isPending, refetch } = useQuery(
    'get',
    '/api/v1/webhooks/{id}',
    { params: { path: { id } } },
    useLive(),
  )
  if (isPending) return <Waiting label="Loading the subscription" />
  if (data === undefined)
    return (
      <Frame title="Subscription" back={BACK}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  const subscription = data.data
  const { title, detail } = titleOf(subscription)
  return (
    <Frame
      title={title}
      lead={detail}
      back={BACK}
      actions={
        <>
          {subscription.active && maySeeDeliveries && <ReplayButton subscription={{ id, title }} />}
          {subscription.active && subscription.batchSettings?.enabled === true && <FlushButton id={id} />}
          <Actions subscription={subscription} />
          <DeleteButton id={id} title={title} />
        </>
      }
    >
      <Explain words={healthOf(subscription, now)} />
      {maySeeDeliveries && <Figures id={id} />}
      <Reach id={id} />
      {maySeeDeliveries && <RecentDeliveries id={id} />}
      <Secret subscription={subscription} />
      <Settings subscription={subscription} />
    </Frame>
  )
}
