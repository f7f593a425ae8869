type SparklineProps = {
  hours: readonly { delivered: number; failed: number }[]
  /** What is to be seen, for those who do not see it. */
  label: string
}

const HEIGHT = 20
const STEP = 4

/** Hours as small bars, failures on what was delivered: enough to see a course, not to read numbers. */
export function Sparkline({ hours, label }: SparklineProps) {
  const max = Math.max(1, ...hours.map(({ delivered, failed }) => delivered + failed))
  const tall = (count: number) => (count === 0 ? 0 : Math.max(1.5, (count / max) * HEIGHT))
  return (
    <svg
      role="img"
      aria-label={label}
      width={hours.length * STEP}
      height={HEIGHT}
      className="inline-block align-middle"
    >
      {hours.map(({ delivered, failed }, n) => {
        const [good, bad] = [tall(delivered), tall(failed)]
        const place = { x: n * STEP, width: STEP - 1 }
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place of an hour is all that it is
          <g key={n}>
            <rect {...place} y={HEIGHT - good} height={good} className="fill-[light-dark(#1d5bd6,#3e8bff)]" />
            <rect
              {...place}
              y={Math.max(0, HEIGHT - good - bad)}
              height={bad}
              className="fill-[light-dark(#d92d20,#e5484d)]"
            />
          </g>
        )
      })}
    </svg>
  )
}
