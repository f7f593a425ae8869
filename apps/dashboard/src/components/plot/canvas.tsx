import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useIsDark } from '../../app/theme.ts'
import { PLOT_COLOURS } from './colours.ts'
import type { Line, PlotProps } from './plot.tsx'

const HEIGHT = 192
const DAY_SECONDS = 86_400
const WHOLE_STEPS = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
  1_000_000, 10_000_000,
]

type CanvasProps = PlotProps & { onPoint: (at: number | null) => void }

/** Draws lines, or bars that stand on each other in their order. */
export function Canvas({ times, lines, form, inWords, onPoint }: CanvasProps) {
  const host = useRef<HTMLDivElement>(null)
  const isDark = useIsDark()
  // The same values drawn anew would flicker and lose the pointer's place.
  const drawn = JSON.stringify([times, lines.map(({ values }) => values)])
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines and times are new with each render, `drawn` when they differ
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const size = { width: element.clientWidth, isDark }
    const options = optionsOf(lines, { form, inWords, onPoint }, size)
    const plot = new UPlot(options, dataOf(times, lines, form), element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [drawn, form, isDark, onPoint])
  return <div ref={host} aria-hidden className="h-48 min-w-0" />
}

/** Bars are drawn from the highest to the lowest, each over the last: a layer's height counts those below. */
function dataOf(
  times: readonly number[],
  lines: readonly Line[],
  form: PlotProps['form'],
): UPlot.AlignedData {
  if (form === 'lines') return [[...times], ...lines.map(({ values }) => [...values])]
  const below = times.map(() => 0)
  const layers = lines.map(({ values }) =>
    values.map((value, n) => {
      below[n] = (below[n] ?? 0) + (value ?? 0)
      return below[n]
    }),
  )
  return [[...times], ...layers.toReversed()]
}

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** Days where a plot is of days, or else the time of day. */
function labelOf(stepSeconds: number): (seconds: number) => string {
  const format = stepSeconds >= DAY_SECONDS ? day : clock
  return (seconds) => format.format(seconds * 1_000)
}

/** The points of a line that no other one is beside, which it would not show. */
function lonePoints({ data }: UPlot, series: number): number[] {
  const values = data[series] ?? []
  const isThere = (at: number) => (values[at] ?? null) !== null
  return [...values.keys()].filter((at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1))
}

type Drawing = Pick<CanvasProps, 'form' | 'inWords' | 'onPoint'>

function optionsOf(
  lines: readonly Line[],
  { form, inWords, onPoint }: Drawing,
  { width, isDark }: { width: number; isDark: boolean },
): UPlot.Options {
  const axis = {
    stroke: isDark ? '#b5b5b5' : '#5c5c5c',
    grid: { stroke: isDark ? '#2a2a2a' : '#ececec', width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
  const bars = form === 'bars' ? UPlot.paths.bars?.({ size: [0.8, 24] }) : undefined
  const series = ({ label, tone }: Line): UPlot.Series => {
    const colour = PLOT_COLOURS[tone][isDark ? 'dark' : 'light']
    const look = form === 'bars' ? { fill: colour, width: 0 } : { stroke: colour, width: 2, spanGaps: false }
    const points = { show: form === 'lines', size: 4, filter: lonePoints }
    return { label, ...look, points, ...(bars && { paths: bars }) }
  }
  const drawn = form === 'bars' ? lines.toReversed() : lines
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    axes: [
      { ...axis, size: 34, values: (_, splits, __, ___, stepSeconds) => splits.map(labelOf(stepSeconds)) },
      {
        ...axis,
        size: 64,
        incrs: WHOLE_STEPS,
        values: (_, splits) => splits.map((split) => inWords(split)),
      },
    ],
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max)] } },
    series: [{}, ...drawn.map(series)],
  }
}
