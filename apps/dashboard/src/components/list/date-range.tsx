import { SearchField } from './search-field.tsx'

type Dates = { dateFrom?: string; dateTo?: string }

/** The first and the last day of what a list shows, each empty for none. */
export function DateRange({ values, onChange }: { values: Dates; onChange: (changes: Dates) => void }) {
  return (
    <>
      <SearchField
        label="From"
        type="date"
        value={values.dateFrom ?? ''}
        onSearch={(dateFrom) => onChange({ dateFrom })}
      />
      <SearchField
        label="To"
        type="date"
        value={values.dateTo ?? ''}
        onSearch={(dateTo) => onChange({ dateTo })}
      />
    </>
  )
}
