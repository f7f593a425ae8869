import { Button } from '@cloudflare/kumo/components/button'
import { Link } from 'react-router'
import { Section } from '../../components/section.tsx'
import { countOf } from '../../words/numbers.ts'
import type { Note, Plan } from './import-types.ts'

type ImportPlanProps = { plan: Plan; isBusy: boolean; onApply: () => void }

/** What an import would do to the catalogue, to be looked at before it is done. */
export function ImportPlan({ plan, isBusy, onApply }: ImportPlanProps) {
  const { created, updated, changes: changed, unchanged, skipped, warnings } = plan
  const changes = created.length + updated.length
  return (
    <Section title="What would change" isFlush>
      <div aria-live="polite" className="divide-y divide-kumo-hairline">
        {changes === 0 && <p className="p-4">Nothing: the catalogue has all of it already.</p>}
        <Names title="New" names={created} />
        <Changed changes={changed} />
        <Notes title="Left out" notes={skipped} />
        <Notes title="To be looked at" notes={warnings} />
        {unchanged.length > 0 && (
          <p className="p-4 text-kumo-subtle">{countOf(unchanged.length, 'type')} as before.</p>
        )}
        <p className="p-4 text-sm text-kumo-subtle">Types that the document does not name stay.</p>
      </div>
      {changes > 0 && (
        <div className="flex justify-end border-t border-kumo-hairline p-4">
          <Button variant="primary" loading={isBusy} onClick={onApply}>
            Import {countOf(changes, 'type')}
          </Button>
        </div>
      )}
    </Section>
  )
}

function Names({ title, names }: { title: string; names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <div className="p-4">
      <h3 className="mb-1 text-sm font-semibold">
        {title} ({names.length})
      </h3>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {names.map((name) => (
          <li key={name} className="font-mono text-sm wrap-anywhere">
            {name}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Changed({ changes }: Pick<Plan, 'changes'>) {
  if (changes.length === 0) return null
  return (
    <div className="p-4">
      <h3 className="mb-1 text-sm font-semibold">Changed ({changes.length})</h3>
      <ul className="flex flex-col gap-1 text-sm">
        {changes.map(({ name, fields }) => (
          <li key={name} className="wrap-anywhere">
            {/* In a tab of its own: the document here would be gone. */}
            <Link
              to={`/event-types/${name}`}
              target="_blank"
              className="font-mono font-semibold text-kumo-link underline"
            >
              {name}
            </Link>{' '}
            <span className="text-kumo-subtle">{fields.join(', ')}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Notes({ title, notes }: { title: string; notes: readonly Note[] }) {
  if (notes.length === 0) return null
  return (
    <div className="p-4">
      <h3 className="mb-1 text-sm font-semibold">
        {title} ({notes.length})
      </h3>
      <ul className="flex flex-col gap-1 text-sm">
        {notes.map(({ name, reason }) => (
          <li key={`${name} ${reason}`} className="wrap-anywhere">
            <code className="font-semibold">{name}</code> <span className="text-kumo-subtle">{reason}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
