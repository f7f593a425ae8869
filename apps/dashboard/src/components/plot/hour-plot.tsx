import { lazy, Suspense } from 'react'
import { numberInWords } from '../../words/numbers.ts'

/** One hour with its deliveries. */
export type Hour = { hour: string; delivered: number; failed: number }

/** The library is loaded with the first plot. */
const Canvas = lazy(async () => ({ default: (await import('./canvas.tsx')).Canvas }))

/** Deliveries by hour as a plot, and in words for those who do not see it. */
export function HourPlot({ hours }: { hours: readonly Hour[] }) {
  const sum = (pick: (hour: Hour) => number) =>
    numberInWords(hours.reduce((all, hour) => all + pick(hour), 0))
  return (
    <figure>
      <Suspense fallback={<div className="h-48" />}>
        <Canvas hours={hours} />
      </Suspense>
      <figcaption className="sr-only">
        {sum(({ delivered }) => delivered)} delivered and {sum(({ failed }) => failed)} failed.
      </figcaption>
    </figure>
  )
}
