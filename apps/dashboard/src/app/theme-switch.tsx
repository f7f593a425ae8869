import { setTheme, THEMES, useTheme } from './theme.ts'

const LABELS = { system: 'System', light: 'Light', dark: 'Dark' } as const

/** The choice of colours, kept by the browser. */
export function ThemeSwitch() {
  const theme = useTheme()
  return (
    <fieldset className="grid grid-cols-3 gap-0.5 rounded-lg bg-kumo-recessed p-0.5 text-xs">
      <legend className="sr-only">Colours</legend>
      {THEMES.map((name) => (
        <label
          key={name}
          className="cursor-pointer rounded-md px-2 py-1 text-center text-kumo-subtle has-checked:bg-kumo-base has-checked:font-medium has-checked:text-kumo-default has-checked:ring has-checked:ring-kumo-line has-focus-visible:outline-2 has-focus-visible:outline-kumo-brand"
        >
          <input
            type="radio"
            name="theme"
            className="sr-only"
            checked={theme === name}
            onChange={() => setTheme(name)}
          />
          {LABELS[name]}
        </label>
      ))}
    </fieldset>
  )
}
