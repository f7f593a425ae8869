import { type ReactNode, useId } from 'react'

type ChoiceProps = {
  label: string
  name: string
  value: string
  onChange: (value: string) => void
  options: readonly { value: string; label: string }[]
  description?: ReactNode
}

/** One of several values, by the browser's own list. */
export function Choice({ label, name, value, onChange, options, description }: ChoiceProps) {
  const id = useId()
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <select
        {...{ id, name, value }}
        onChange={(event) => onChange(event.target.value)}
        className="h-9 w-full cursor-pointer truncate rounded-lg bg-kumo-control px-2 ring ring-kumo-line"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {description && <p className="text-sm text-kumo-subtle">{description}</p>}
    </div>
  )
}
