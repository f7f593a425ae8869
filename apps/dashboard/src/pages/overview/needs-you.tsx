import { CheckCircleIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { Explain } from '../../components/explain.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { useNow } from '../../components/time.tsx'
import { type Attention, attentionInWords } from '../../words/attention.ts'
import { healthOf, type InWords, type Tone } from '../../words/health.ts'
import { numberInWords } from '../../words/numbers.ts'
import { titleOf, withoutScheme } from '../../words/subscription.ts'
import { attentionPage } from './attention-page.ts'

/** Of each health; a list shows some of them, and leads to all. */
const READ_MAX = 10
const SHOWN_MAX = 6
const URGENCY: readonly Tone[] = ['bad', 'warning']

/** One thing to see to, and the page on which that is done. */
type Need = { key: string; title: string; to: string | null; words: InWords }

/** What needs a person: what the relay names, then what else is paused or has begun to fail. The worst first. */
export function NeedsYou({ attention }: { attention: readonly Attention[] }) {
  const others = useOthers(attention)
  const named = attention.map(
    (each): Need => ({
      key: `${each.kind} ${each.webhookId ?? each.summary}`,
      title: each.webhookName || withoutScheme(each.url ?? 'This workspace'),
      to: attentionPage(each),
      words: attentionInWords(each),
    }),
  )
  const needs = [...named, ...others.needs].toSorted(
    (one, other) => URGENCY.indexOf(one.words.tone) - URGENCY.indexOf(other.words.tone),
  )
  const hidden = needs.length - SHOWN_MAX
  if (others.isPending) return null
  return (
    <Section title="Needs you" isFlush>
      {others.error !== null && <Problem error={others.error} onRetry={others.refetch} />}
      {others.error === null && needs.length === 0 && <Nothing />}
      {needs.length > 0 && (
        <ul className="divide-y divide-kumo-hairline">
          {needs.slice(0, SHOWN_MAX).map((need) => (
            <Needy key={need.key} need={need} />
          ))}
        </ul>
      )}
      {(hidden > 0 || others.hasMore) && (
        <Link
          to="/subscriptions"
          className="block border-t border-kumo-hairline p-3 text-center text-kumo-link"
        >
          {hidden > 0 ? `${numberInWords(hidden)}${others.hasMore ? '+' : ''} more` : 'See all subscriptions'}
        </Link>
      )}
    </Section>
  )
}

/** Subscriptions that a person should look at without the relay's naming them. */
function useOthers(attention: readonly Attention[]) {
  const now = useNow()
  const mayRead = useMay('webhooks:read')
  const answers = [useOfHealth('failing', mayRead), useOfHealth('paused', mayRead)]
  const named = new Set(attention.map(({ webhookId }) => webhookId))
  const failed = answers.find(({ error }) => error !== null)
  const needs = answers
    .flatMap(({ data }) => data?.data ?? [])
    .filter(({ id }) => !named.has(id))
    .map((subscription) => needOf(subscription, now))
    .filter(({ words }) => URGENCY.includes(words.tone))
  return {
    needs,
    error: failed?.error ?? null,
    refetch: () => void failed?.refetch(),
    isPending: mayRead && failed === undefined && answers.some(({ data }) => data === undefined),
    hasMore: answers.some(({ data }) => Boolean(data?.pagination?.nextCursor)),
  }
}

/** Reads the subscriptions of one health, so that no number of healthy ones hides another. */
function useOfHealth(health: 'failing' | 'paused', enabled: boolean) {
  const params = { query: { health, limit: READ_MAX } }
  return useQuery('get', '/api/v1/webhooks', { params }, { ...useLive(), enabled })
}

function needOf(subscription: Schemas['Subscription'], now: number): Need {
  return {
    key: subscription.id,
    title: titleOf(subscription).title,
    to: `/subscriptions/${subscription.id}`,
    words: healthOf(subscription, now),
  }
}

function Nothing() {
  return (
    <p className="flex items-center gap-2 p-4 text-kumo-subtle">
      <CheckCircleIcon size={18} className="shrink-0 text-kumo-success" aria-hidden />
      Nothing: every subscription does what it should.
    </p>
  )
}

function Needy({ need: { title, to, words } }: { need: Need }) {
  return (
    <li className="relative flex flex-col gap-1 p-4 hover:bg-kumo-tint">
      {to === null ? (
        <span className="font-medium wrap-anywhere">{title}</span>
      ) : (
        <Link to={to} className="font-medium wrap-anywhere after:absolute after:inset-0">
          {title}
        </Link>
      )}
      <Explain words={words} />
    </li>
  )
}
