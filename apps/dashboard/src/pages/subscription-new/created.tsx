import { Link } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { CopyButton } from '../../components/json/json-view.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { titleOf } from '../../words/subscription.ts'

/** A subscription that was just created: its secret, this once, and what to do with it. */
export function Created({ subscription }: { subscription: Schemas['Subscription'] }) {
  const { id, secret, warnings = [] } = subscription
  const maySeeSecret = useMay('webhooks:secret')
  const address = `/subscriptions/${id}`
  return (
    <Frame
      title="Subscription created"
      lead={titleOf(subscription).title}
      back={{ to: '/subscriptions', label: 'Subscriptions' }}
    >
      <Section title="Signing secret">
        {maySeeSecret ? (
          <div className="flex flex-col gap-3">
            <div className="flex min-w-0 flex-wrap items-center gap-2">
              <code className="wrap-anywhere">{secret}</code>
              <CopyButton text={secret} label="Copy the secret" />
            </div>
            <p className="text-kumo-subtle">
              The receiver checks signatures with it. Copy it now: it is masked from here on, and shown on
              demand only.
            </p>
          </div>
        ) : (
          <p className="text-kumo-subtle">
            Your key may not see secrets. A caller with the scope webhooks:secret can show it to you.
          </p>
        )}
      </Section>
      {warnings.length > 0 && (
        <Section title="Worth a look">
          <ul className="flex flex-col gap-1 wrap-anywhere">
            {warnings.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
                {path}: {message}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <p>
        <Link to={address} className="font-medium text-kumo-link underline">
          Go to the subscription
        </Link>
      </p>
    </Frame>
  )
}
