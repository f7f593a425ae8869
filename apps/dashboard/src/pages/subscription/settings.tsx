import type { ReactNode } from 'react'
import type { Schemas } from '../../api/schemas.ts'
import { JsonView } from '../../components/json/json-view.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { lengthInWords } from '../../words/time.ts'

/** How a subscription is set, as far as it is not as usual. */
export function Settings({ subscription }: { subscription: Schemas['Subscription'] }) {
  const { url, events, profile, timeoutSeconds, createdAt, updatedAt, filters, conditions, transform } =
    subscription
  const rules = filters ?? conditions
  return (
    <Section title="Settings" isFlush>
      <dl className="grid gap-x-6 gap-y-3 p-4 sm:grid-cols-[10rem_minmax(0,1fr)]">
        <Entry name="URL">{url}</Entry>
        <Entry name="Events">{events.join(', ')}</Entry>
        <Entry name="Format">{profile}</Entry>
        <Entry name="Timeout">{lengthInWords(timeoutSeconds * 1_000)}</Entry>
        {subscription.ordered && (
          <Entry name="Order">One after the other, in the order of their events</Entry>
        )}
        {subscription.batchSettings?.enabled && (
          <Entry name="Batches">Up to {subscription.batchSettings.maxEvents} events in a request</Entry>
        )}
        <Entry name="Id">{subscription.uid ?? subscription.id}</Entry>
        <Entry name="Created">
          <Time at={createdAt} />
        </Entry>
        <Entry name="Changed">
          <Time at={updatedAt} />
        </Entry>
      </dl>
      {rules !== null && <JsonView label="Rules" text={JSON.stringify(rules)} />}
      {transform !== null && <JsonView label="Template" text={JSON.stringify(transform.template)} />}
    </Section>
  )
}

function Entry({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-kumo-subtle max-sm:-mb-2.5">{name}</dt>
      <dd className="wrap-anywhere">{children}</dd>
    </div>
  )
}
