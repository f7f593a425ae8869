import { useState } from 'react'
import { api, queryClient } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { Page as Frame } from '../../components/page.tsx'
import { EMPTY_DRAFT } from '../../components/subscription-form/draft.ts'
import { SubscriptionForm } from '../../components/subscription-form/form.tsx'
import type { Settings } from '../../components/subscription-form/read-draft.ts'
import { Created } from './created.tsx'

const BACK = { to: '/subscriptions', label: 'Subscriptions' }

/** Creates a subscription, and shows its secret. */
export function Page() {
  const [created, setCreated] = useState<Schemas['Subscription'] | null>(null)
  const create = async (settings: Settings) => {
    const { data } = await api.POST('/api/v1/webhooks', { body: settings })
    await queryClient.invalidateQueries()
    setCreated(data?.data ?? null)
  }
  if (created !== null) return <Created subscription={created} />
  return (
    <Frame title="New subscription" lead="Where events go, which, and how they are sent." back={BACK}>
      <SubscriptionForm initial={EMPTY_DRAFT} verb="Create" cancelTo={BACK.to} onSave={create} />
    </Frame>
  )
}
