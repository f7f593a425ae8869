import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useIsDark } from '../../app/theme.ts'
import type { Hour } from './hour-plot.tsx'

const HEIGHT = 192
const HOUR_SECONDS = 3_600
const SHOWN_HOURS = 168
const WHOLE_STEPS = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 1_000_000,
]

/** Draws hours as bars: failures stand on what was delivered. */
export function Canvas({ hours }: { hours: readonly Hour[] }) {
  const host = useRef<HTMLDivElement>(null)
  const isDark = useIsDark()
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const plot = new UPlot(optionsOf(element.clientWidth, isDark), dataOf(hours), element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [hours, isDark])
  return <div ref={host} aria-hidden className="h-48 min-w-0" />
}

/** Every hour of the week up to now: those without deliveries are left out of the series. */
function dataOf(hours: readonly Hour[]): UPlot.AlignedData {
  const byHour = new Map(hours.map((hour) => [Date.parse(hour.hour) / 1_000, hour]))
  const last = Math.floor(Date.now() / 1_000 / HOUR_SECONDS) * HOUR_SECONDS
  const times = Array.from({ length: SHOWN_HOURS }, (_, n) => last - (SHOWN_HOURS - 1 - n) * HOUR_SECONDS)
  const delivered = times.map((time) => byHour.get(time)?.delivered ?? 0)
  const all = times.map((time, n) => (delivered[n] ?? 0) + (byHour.get(time)?.failed ?? 0))
  return [times, all, delivered]
}

function optionsOf(width: number, isDark: boolean): UPlot.Options {
  const ink = isDark ? '#b5b5b5' : '#5c5c5c'
  const grid = isDark ? '#2a2a2a' : '#ececec'
  const axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
  const bars = UPlot.paths.bars?.({ size: [0.8, 24] })
  const series = (label: string, fill: string) => ({
    ...{ label, fill, width: 0, points: { show: false } },
    ...(bars && { paths: bars }),
  })
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    axes: [
      { ...axis, size: 34 },
      // Deliveries are counted in whole ones.
      { ...axis, size: 44, incrs: WHOLE_STEPS },
    ],
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max)] } },
    series: [
      {},
      series('Failed', isDark ? '#e5484d' : '#d92d20'),
      series('Delivered', isDark ? '#3e8bff' : '#1d5bd6'),
    ],
  }
}
