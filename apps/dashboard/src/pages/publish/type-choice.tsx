import { useQuery } from '../../api/client.ts'
import { SearchField } from '../../components/list/search-field.tsx'
import { Problem } from '../../components/problem.tsx'

/** The most that a catalogue holds. */
const TYPES_MAX = 1_000

type TypeChoiceProps = { value: string; onChoose: (name: string) => void }

/** The type of an event: one of the catalogue, by the browser's own suggestions, or any other. */
export function TypeChoice({ value, onChoose }: TypeChoiceProps) {
  const { data, error } = useQuery('get', '/api/v1/event-types', { params: { query: { limit: TYPES_MAX } } })
  const names = (data?.data ?? []).filter(({ deprecated }) => !deprecated).map(({ name }) => name)
  return (
    <div className="max-w-md">
      {error !== null && <Problem error={error} />}
      <SearchField
        label="Event type"
        placeholder="invoice.paid"
        value={value}
        suggestions={names}
        onSearch={onChoose}
      />
    </div>
  )
}
