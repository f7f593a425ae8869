import { Link } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'
import { type FieldChange, fieldChanges } from './changed-fields.ts'

type Detail = Schemas['AuditEntryDetail']
type FieldChangesProps = Pick<Detail, 'fields' | 'earlier'> & { suffix: string }

const MASK = '********'

/** Each field that a call has named: before, as far as an earlier row says it, and after. */
export function FieldChanges({ fields, earlier, suffix }: FieldChangesProps) {
  const changes = fieldChanges(fields, earlier)
  if (changes.length === 0)
    return <p className="p-4 text-kumo-subtle">None: it changed nothing that has a name.</p>
  return (
    <dl className="divide-y divide-kumo-hairline">
      {changes.map(({ name, before, after }) => (
        <div key={name} className="grid gap-x-6 gap-y-1 px-4 py-2.5 sm:grid-cols-[10rem_minmax(0,1fr)]">
          <dt className="font-mono text-sm wrap-anywhere">{name}</dt>
          <dd className="flex min-w-0 flex-col gap-1">
            {before !== null && <Before before={before} suffix={suffix} />}
            <span className="flex min-w-0 items-baseline gap-2">
              <span className="w-14 shrink-0 text-sm text-kumo-subtle">after</span>
              <Value value={after} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  )
}

type BeforeProps = { before: NonNullable<FieldChange['before']>; suffix: string }

function Before({ before: { value, no }, suffix }: BeforeProps) {
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span className="w-14 shrink-0 text-sm text-kumo-subtle">before</span>
      <span className="min-w-0">
        <Value value={value} isGone />{' '}
        <Link to={`/audit-log/${no}${suffix}`} className="text-sm whitespace-nowrap text-kumo-link">
          row {no}
        </Link>
      </span>
    </span>
  )
}

function Value({ value, isGone = false }: { value: unknown; isGone?: boolean }) {
  if (value === MASK)
    return <span className="text-sm text-kumo-subtle">not shown: it may be secret, or is long</span>
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text === '') return <span className="text-sm text-kumo-subtle">empty</span>
  const look = 'min-w-0 text-sm wrap-anywhere'
  return isGone ? (
    <del className={`${look} font-mono decoration-kumo-danger`}>{text}</del>
  ) : (
    <ins className={`${look} font-mono no-underline`}>{text}</ins>
  )
}
