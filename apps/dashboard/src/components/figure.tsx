import type { ReactNode } from 'react'
import { Link } from 'react-router'

type FigureProps = {
  label: string
  value: ReactNode
  /** What the figure means, or what to do about it. */
  note?: ReactNode
  to?: string
}

/** One number that is looked at first. */
export function Figure({ label, value, note, to }: FigureProps) {
  const body = (
    <>
      <span className="text-sm text-kumo-subtle">{label}</span>
      <span className="text-2xl font-semibold tracking-tight tabular-nums">{value}</span>
      {note && <span className="text-sm text-kumo-subtle">{note}</span>}
    </>
  )
  const look = 'flex flex-col gap-0.5 rounded-lg bg-kumo-base p-4 ring ring-kumo-hairline'
  return to === undefined ? (
    <div className={look}>{body}</div>
  ) : (
    <Link to={to} className={`${look} hover:bg-kumo-tint`}>
      {body}
    </Link>
  )
}
