import { Input } from '@cloudflare/kumo/components/input'
import { useEffect, useId, useState } from 'react'

type SearchFieldProps = {
  label: string
  value: string
  placeholder?: string
  type?: 'text' | 'date'
  /** Offered by the browser while it is typed. */
  suggestions?: readonly string[]
  /** Told when the search is sent off or left, and of dates at once; empty for none. */
  onSearch: (value: string) => void
}

/** A field that searches by Enter or when it is left, so that no half word is looked for. */
export function SearchField(props: SearchFieldProps) {
  const { label, value, placeholder, type = 'text', suggestions, onSearch } = props
  const listId = useId()
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  const search = (next: string) => {
    if (next.trim() !== value) onSearch(next.trim())
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        search(text)
      }}
    >
      <Input
        label={label}
        type={type}
        value={text}
        {...(placeholder !== undefined && { placeholder })}
        {...(suggestions !== undefined && { list: listId })}
        onChange={(event) => {
          setText(event.target.value)
          if (type === 'date') search(event.target.value)
        }}
        onBlur={() => search(text)}
      />
      {suggestions !== undefined && (
        <datalist id={listId}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
    </form>
  )
}
