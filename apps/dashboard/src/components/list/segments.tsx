type SegmentsProps<Value extends string> = {
  /** What is chosen, for those who do not see it. */
  legend: string
  options: readonly { value: Value; label: string }[]
  value: Value
  onChange: (value: Value) => void
}

/** The choice of one of a few, side by side. */
export function Segments<Value extends string>({ legend, options, value, onChange }: SegmentsProps<Value>) {
  return (
    <fieldset className="flex w-fit max-w-full flex-wrap gap-0.5 rounded-lg bg-kumo-recessed p-0.5 text-sm">
      <legend className="sr-only">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className="cursor-pointer rounded-md px-2.5 py-1 text-kumo-subtle has-checked:bg-kumo-base has-checked:font-medium has-checked:text-kumo-default has-checked:ring has-checked:ring-kumo-line has-focus-visible:outline-2 has-focus-visible:outline-kumo-brand"
        >
          <input
            type="radio"
            name={legend}
            className="sr-only"
            checked={value === option.value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  )
}
