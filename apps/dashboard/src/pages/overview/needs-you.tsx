import { CheckCircleIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { Explain } from '../../components/explain.tsx'
import { Section } from '../../components/section.tsx'
import { useNow } from '../../components/time.tsx'
import { healthOf, type Tone } from '../../words/health.ts'
import { titleOf } from '../../words/subscription.ts'

const LOOKED_AT = 200
const SHOWN_MAX = 6
const URGENCY: readonly Tone[] = ['bad', 'warning']

/** Subscriptions that a person should look at, the worst first, each with the reason. */
export function NeedsYou() {
  const now = useNow()
  const { data } = useQuery('get', '/api/v1/webhooks', { params: { query: { limit: LOOKED_AT } } }, useLive())
  if (data === undefined) return null
  const found = data.data
    .map((subscription) => ({ subscription, words: healthOf(subscription, now) }))
    .filter(({ words }) => URGENCY.includes(words.tone))
    .sort((one, other) => URGENCY.indexOf(one.words.tone) - URGENCY.indexOf(other.words.tone))
  return (
    <Section title="Needs you" isFlush>
      {found.length === 0 ? (
        <p className="flex items-center gap-2 p-4 text-kumo-subtle">
          <CheckCircleIcon size={18} className="shrink-0 text-kumo-success" aria-hidden />
          Nothing: every subscription does what it should.
        </p>
      ) : (
        <ul className="divide-y divide-kumo-hairline">
          {found.slice(0, SHOWN_MAX).map(({ subscription, words }) => (
            <li key={subscription.id} className="relative flex flex-col gap-1 p-4 hover:bg-kumo-tint">
              <Link
                to={`/subscriptions/${subscription.id}`}
                className="font-medium wrap-anywhere after:absolute after:inset-0"
              >
                {titleOf(subscription).title}
              </Link>
              <Explain words={words} />
            </li>
          ))}
        </ul>
      )}
      {found.length > SHOWN_MAX && (
        <Link
          to="/subscriptions"
          className="block border-t border-kumo-hairline p-3 text-center text-kumo-link"
        >
          {found.length - SHOWN_MAX} more
        </Link>
      )}
    </Section>
  )
}
