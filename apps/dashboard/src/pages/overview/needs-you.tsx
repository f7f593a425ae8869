import { CheckCircleIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useLive } from '../../api/use-live.ts'
import { Explain } from '../../components/explain.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { useNow } from '../../components/time.tsx'
import { healthOf, type InWords, type Tone } from '../../words/health.ts'
import { numberInWords } from '../../words/numbers.ts'
import { titleOf } from '../../words/subscription.ts'

/** The most that the API lists at once. */
const READ_MAX = 1000
const SHOWN_MAX = 6
const URGENCY: readonly Tone[] = ['bad', 'warning']

/** Subscriptions that a person should look at, the worst first, each with the reason. */
export function NeedsYou() {
  const now = useNow()
  const answers = [useOfHealth('failing'), useOfHealth('disabled'), useOfHealth('paused')]
  const failed = answers.find(({ error }) => error !== null)
  if (failed === undefined && answers.some(({ data }) => data === undefined)) return null
  const found = answers
    .flatMap(({ data }) => data?.data ?? [])
    .map((subscription) => ({ subscription, words: healthOf(subscription, now) }))
    .filter(({ words }) => URGENCY.includes(words.tone))
    .sort((one, other) => URGENCY.indexOf(one.words.tone) - URGENCY.indexOf(other.words.tone))
  const hasMore = answers.some(({ data }) => Boolean(data?.pagination?.nextCursor))
  const hidden = found.length - SHOWN_MAX
  return (
    <Section title="Needs you" isFlush>
      {failed !== undefined && <Problem error={failed.error} onRetry={() => void failed.refetch()} />}
      {failed === undefined && found.length === 0 && !hasMore && <Nothing />}
      {found.length > 0 && (
        <ul className="divide-y divide-kumo-hairline">
          {found.slice(0, SHOWN_MAX).map(({ subscription, words }) => (
            <Needy key={subscription.id} subscription={subscription} words={words} />
          ))}
        </ul>
      )}
      {(hidden > 0 || hasMore) && (
        <Link
          to="/subscriptions"
          className="block border-t border-kumo-hairline p-3 text-center text-kumo-link"
        >
          {hidden > 0 ? `${numberInWords(hidden)}${hasMore ? '+' : ''} more` : 'See all subscriptions'}
        </Link>
      )}
    </Section>
  )
}

/** Reads the subscriptions of one health, so that no number of healthy ones hides another. */
function useOfHealth(health: 'failing' | 'disabled' | 'paused') {
  return useQuery('get', '/api/v1/webhooks', { params: { query: { health, limit: READ_MAX } } }, useLive())
}

function Nothing() {
  return (
    <p className="flex items-center gap-2 p-4 text-kumo-subtle">
      <CheckCircleIcon size={18} className="shrink-0 text-kumo-success" aria-hidden />
      Nothing: every subscription does what it should.
    </p>
  )
}

function Needy({ subscription, words }: { subscription: Schemas['Subscription']; words: InWords }) {
  return (
    <li className="relative flex flex-col gap-1 p-4 hover:bg-kumo-tint">
      <Link
        to={`/subscriptions/${subscription.id}`}
        className="font-medium wrap-anywhere after:absolute after:inset-0"
      >
        {titleOf(subscription).title}
      </Link>
      <Explain words={words} />
    </li>
  )
}
