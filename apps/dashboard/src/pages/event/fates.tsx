import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { countOf } from '../../words/numbers.ts'
import { Fate } from './fate.tsx'

const SHOWN_MAX = 100

/** What became of an event: first at the subscriptions that it is owed to, then why others did not get it. */
export function Fates({ id }: { id: string }) {
  const params = (matched: 'true' | 'false') => ({
    params: { path: { id }, query: { limit: SHOWN_MAX, matched: matched as never } },
  })
  const owed = useQuery('get', '/api/v1/events/{id}/deliveries', params('true'), useLive())
  const others = useQuery('get', '/api/v1/events/{id}/deliveries', params('false'))
  if (owed.data === undefined && owed.error !== null)
    return <Problem error={owed.error} onRetry={() => void owed.refetch()} />
  const rows = owed.data?.data ?? []
  const refused = others.data?.data ?? []
  return (
    <>
      {owed.error !== null && <Problem error={owed.error} />}
      <Section title="Deliveries" isFlush>
        {rows.length === 0 && !owed.isPending && (
          <p className="p-4 text-kumo-subtle">No subscription matched this event, so nothing is sent.</p>
        )}
        <ul className="divide-y divide-kumo-hairline">
          {rows.map((row) => (
            <Fate key={row.webhookId} fate={row} />
          ))}
        </ul>
        {owed.data?.pagination?.nextCursor && (
          <p className="border-t border-kumo-hairline p-4 text-kumo-subtle">
            There are more: only {countOf(rows.length, 'delivery', 'deliveries')} of this event are shown
            here.
          </p>
        )}
      </Section>
      {others.error !== null && <Problem error={others.error} onRetry={() => void others.refetch()} />}
      {refused.length > 0 && (
        <details className="group">
          <summary className="cursor-pointer rounded-md py-1 font-semibold">
            {countOf(refused.length, 'subscription')}
            {others.data?.pagination?.nextCursor ? ' and more' : ''} did not get it, and why
          </summary>
          <ul className="mt-2 divide-y divide-kumo-hairline rounded-lg bg-kumo-base ring ring-kumo-hairline">
            {refused.map((row) => (
              <Fate key={row.webhookId} fate={row} />
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
