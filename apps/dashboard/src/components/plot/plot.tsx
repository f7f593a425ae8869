import { lazy, Suspense, useState } from 'react'
import { PLOT_COLOURS, type PlotTone } from './colours.ts'

/** One line, or one layer of bars. */
export type Line = {
  label: string
  tone: PlotTone
  /** One for each time; null where there is none. */
  values: readonly (number | null)[]
}

export type PlotProps = {
  /** Seconds since 1970. */
  times: readonly number[]
  lines: readonly Line[]
  form: 'bars' | 'lines'
  /** A value as people read it. */
  inWords: (value: number) => string
  /** A time as people read it. */
  timeInWords: (seconds: number) => string
  /** What is to be seen, for those who do not see it. */
  summary: string
}

/** The library is loaded with the first plot. */
const Canvas = lazy(async () => ({ default: (await import('./canvas.tsx')).Canvas }))

/** Values over time as a plot, with what each colour means; where it is pointed at, with the values there. */
export function Plot(props: PlotProps) {
  const { times, lines, inWords, timeInWords, summary } = props
  const [at, setAt] = useState<number | null>(null)
  const time = at === null ? undefined : times[at]
  return (
    <figure className="flex flex-col gap-2">
      <div aria-hidden className="flex min-h-6 flex-wrap gap-x-4 gap-y-1 text-sm text-kumo-subtle">
        {lines.map(({ label, tone, values }) => {
          const value = at === null ? null : (values[at] ?? null)
          return (
            <span key={label} className="flex items-center gap-1.5 tabular-nums">
              <span className={`size-2.5 rounded-xs ${PLOT_COLOURS[tone].dot}`} />
              {label}
              {value !== null && <strong className="text-kumo-default">{inWords(value)}</strong>}
            </span>
          )
        })}
        {time !== undefined && <span className="ml-auto">{timeInWords(time)}</span>}
      </div>
      <Suspense fallback={<div className="h-48" />}>
        <Canvas {...props} onPoint={setAt} />
      </Suspense>
      <figcaption className="sr-only">{summary}</figcaption>
    </figure>
  )
}
