import { Link } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { Section } from '../../components/section.tsx'
import type { Tone } from '../../words/health.ts'
import { numberInWords } from '../../words/numbers.ts'
import { STANDINGS } from '../../words/standing.ts'

const COLOURS = {
  good: 'bg-kumo-success',
  waiting: 'bg-kumo-info',
  warning: 'bg-kumo-warning',
  bad: 'bg-kumo-danger',
  off: 'bg-kumo-fill',
} as const satisfies Record<Tone, string>

/** How many subscriptions there are of each health; each number leads to those. */
export function Standings({ standings }: { standings: Schemas['WorkspaceStatistics']['subscriptions'] }) {
  const mayList = useMay('webhooks:read')
  const all = STANDINGS.reduce((sum, { value }) => sum + standings[value], 0)
  if (all === 0) return null
  return (
    <Section title={`Subscriptions by health: ${numberInWords(all)}`}>
      <ul className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 lg:grid-cols-6">
        {STANDINGS.map(({ value, label, tone }) => {
          const count = standings[value]
          const body = (
            <>
              <span
                aria-hidden
                className={`size-2.5 shrink-0 rounded-full ${COLOURS[count > 0 ? tone : 'off']}`}
              />
              <span className="text-kumo-subtle">{label}</span>
              <span className="font-semibold tabular-nums">{numberInWords(count)}</span>
            </>
          )
          return (
            <li key={value}>
              {mayList && count > 0 ? (
                <Link
                  to={`/subscriptions?health=${value}`}
                  className="flex items-center gap-2 hover:underline"
                >
                  {body}
                </Link>
              ) : (
                <span className="flex items-center gap-2">{body}</span>
              )}
            </li>
          )
        })}
      </ul>
    </Section>
  )
}
