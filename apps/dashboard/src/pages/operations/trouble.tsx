import { CheckCircleIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'
import type { Schemas } from '../../api/schemas.ts'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { countOf } from '../../words/numbers.ts'

type Worst = Schemas['WholeStatus']['worst']
type Named = { workspaceId: string; webhookId: string }

/** The most due deliveries that are counted of one subscription. */
const DUE_MAX = 1_000

/** The subscriptions in trouble, in whatever workspace, each with its reason. */
export function Trouble({ worst: { failing, disabled, due, failed } }: { worst: Worst }) {
  const isWell = [failing, disabled, due, failed].every(({ length }) => length === 0)
  return (
    <Section title="Subscriptions in trouble" isFlush>
      {isWell && (
        <p className="flex items-center gap-2 p-4 text-kumo-subtle">
          <CheckCircleIcon size={18} className="shrink-0 text-kumo-success" aria-hidden />
          None, in any workspace.
        </p>
      )}
      <Kind
        title="Nothing but failures"
        rows={failing}
        say={({ since }) => (
          <>
            since <Time at={since} />
          </>
        )}
      />
      <Kind
        title="Disabled by the relay"
        rows={disabled}
        say={({ reason }) => (reason === 'gone' ? 'its receiver answered 410' : 'it had failed for too long')}
      />
      <Kind
        title="Deliveries due for longest"
        rows={due}
        say={(row) => (
          <>
            {row.due > DUE_MAX
              ? `more than ${countOf(DUE_MAX, 'delivery', 'deliveries')}`
              : countOf(row.due, 'delivery', 'deliveries')}
            , the oldest since <Time at={row.oldestDueAt} />
          </>
        )}
      />
      <Kind
        title="Most deliveries failed for good, since the last full hour"
        rows={failed}
        say={({ deliveries }) => countOf(deliveries, 'delivery', 'deliveries')}
      />
    </Section>
  )
}

type KindProps<Row extends Named> = { title: string; rows: readonly Row[]; say: (row: Row) => ReactNode }

function Kind<Row extends Named>({ title, rows, say }: KindProps<Row>) {
  if (rows.length === 0) return null
  return (
    <div className="border-b border-kumo-hairline p-4 last:border-b-0">
      <h3 className="mb-1 text-sm font-semibold">{title}</h3>
      <ul className="flex flex-col gap-1 text-sm">
        {rows.map((row) => (
          <li key={row.webhookId} className="wrap-anywhere">
            {/* Another workspace is another load of the pages. */}
            <a
              href={`/w/${row.workspaceId}/subscriptions/${row.webhookId}`}
              className="text-kumo-link underline"
            >
              {row.webhookId}
            </a>{' '}
            <span className="text-kumo-subtle">
              of {row.workspaceId}: {say(row)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
