import { Badge } from '@cloudflare/kumo/components/badge'
import { useId } from 'react'
import { Link } from 'react-router'
import type { Schemas } from '../../api/schemas.ts'

type EventType = Schemas['EventType']

/** Event types under the names of their groups; those that have none come last. */
export function Groups({ rows }: { rows: readonly EventType[] }) {
  const groups = [...Map.groupBy(rows, ({ group }) => group ?? '')].sort(
    ([one], [other]) => Number(one === '') - Number(other === '') || one.localeCompare(other),
  )
  const isNamed = groups.some(([group]) => group !== '')
  return groups.map(([group, types]) => (
    <Group key={group} name={group === '' ? 'Without a group' : group} isNamed={isNamed} types={types} />
  ))
}

type GroupProps = { name: string; isNamed: boolean; types: readonly EventType[] }

function Group({ name, isNamed, types }: GroupProps) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="border-b border-kumo-hairline last:border-b-0">
      <h2
        id={id}
        className={
          isNamed
            ? 'border-b border-kumo-hairline bg-kumo-elevated px-4 py-2 text-sm font-semibold wrap-anywhere'
            : 'sr-only'
        }
      >
        {name}
      </h2>
      <ul className="divide-y divide-kumo-hairline">
        {types.map((type) => (
          <Row key={type.name} type={type} />
        ))}
      </ul>
    </section>
  )
}

function Row({ type: { name, description, deprecated, schema, example } }: { type: EventType }) {
  const has = [schema !== null && 'schema', example !== null && 'example'].filter((part) => part !== false)
  return (
    <li className="relative flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-2.5 hover:bg-kumo-tint">
      <Link
        to={`/event-types/${name}`}
        className="font-mono text-sm font-medium wrap-anywhere after:absolute after:inset-0"
      >
        {name}
      </Link>
      {deprecated && <Badge variant="warning">Deprecated</Badge>}
      <span className="min-w-0 grow text-kumo-subtle wrap-anywhere">{description}</span>
      <span className="text-sm text-kumo-subtle max-sm:hidden">{has.join(', ')}</span>
    </li>
  )
}
