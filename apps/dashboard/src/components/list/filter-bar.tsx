import { Button } from '@cloudflare/kumo/components/button'
import type { ReactNode } from 'react'
import { useSearchParams } from 'react-router'

/** The filters of a list, all of them in the address. A change begins with the newest again. */
export function useFilters<Name extends string>(names: readonly Name[]) {
  const [search, setSearch] = useSearchParams()
  const values = Object.fromEntries(
    names.flatMap((name) => {
      const value = search.get(name)
      return value === null || value === '' ? [] : [[name, value]]
    }),
  ) as Partial<Record<Name, string>>
  const cursor = search.get('cursor')
  const set = (changes: Partial<Record<Name, string>>) => {
    // As the address is now: of two fields that change one after the other, neither takes the other back.
    const next = new URLSearchParams(window.location.search)
    next.delete('cursor')
    for (const [name, value] of Object.entries<string | undefined>(changes)) {
      if (value === undefined || value === '') next.delete(name)
      else next.set(name, value)
    }
    setSearch(next)
  }
  const clear = () => set(Object.fromEntries(names.map((name) => [name, ''])) as Record<Name, string>)
  return { values, set, clear, cursor, query: { ...values, ...(cursor !== null && { cursor }) } }
}

type FilterBarProps = { isFiltered: boolean; onClear: () => void; children: ReactNode }

/** Filters in a row, and a way out of them. */
export function FilterBar({ isFiltered, onClear, children }: FilterBarProps) {
  return (
    <search className="flex flex-wrap items-end gap-3">
      {children}
      {isFiltered && (
        <Button variant="ghost" onClick={onClear}>
          Clear filters
        </Button>
      )}
    </search>
  )
}
