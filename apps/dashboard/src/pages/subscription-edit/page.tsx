import { useNavigate, useParams } from 'react-router'
import { api, queryClient, useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useNotices } from '../../components/notices.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { type Draft, draftOf } from '../../components/subscription-form/draft.ts'
import { SubscriptionForm } from '../../components/subscription-form/form.tsx'
import { changesOf, type Settings } from '../../components/subscription-form/read-draft.ts'
import { Waiting } from '../../components/waiting.tsx'
import { titleOf } from '../../words/subscription.ts'

/** Changes a subscription: what was changed here is sent, and nothing else. */
export function Page() {
  const { id = '' } = useParams()
  const { data, error, isPending, refetch } = useQuery('get', '/api/v1/webhooks/{id}', {
    params: { path: { id } },
  })
  if (isPending) return <Waiting label="Loading the subscription" />
  if (data === undefined)
    return (
      <Frame title="Edit a subscription" back={{ to: '/subscriptions', label: 'Subscriptions' }}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  return <Edit key={id} subscription={data.data} />
}

function Edit({ subscription }: { subscription: Schemas['Subscription'] }) {
  const { id, conditions, conditionLogic, livemode, apiVersion } = subscription
  const { title } = titleOf(subscription)
  const address = `/subscriptions/${id}`
  const notices = useNotices()
  const navigate = useNavigate()
  const before = draftOf(subscription)
  const save = async (settings: Settings, draft: Draft) => {
    const body = changesOf(settings, before, draft)
    await api.PATCH('/api/v1/webhooks/{id}', { params: { path: { id } }, body })
    await queryClient.invalidateQueries()
    notices.done('Saved', 'It counts from the next event on.')
    await navigate(address)
  }
  return (
    <Frame title={`Edit ${title}`} back={{ to: address, label: title }}>
      <SubscriptionForm
        initial={before}
        others={{ conditions, conditionLogic, livemode, apiVersion }}
        verb="Save"
        cancelTo={address}
        onSave={save}
      />
    </Frame>
  )
}
