import { CaretLeftIcon } from '@phosphor-icons/react'
import { type ReactNode, useEffect } from 'react'
import { Link } from 'react-router'
import { useLook } from '../api/look.ts'

type PageProps = {
  title: string
  /** One sentence on what is to be seen here. */
  lead?: ReactNode
  /** Beside the title, such as a badge. */
  aside?: ReactNode
  actions?: ReactNode
  /** The page above this one. */
  back?: { to: string; label: string }
  children: ReactNode
}

/** The head of a page, and its content below. Names the tab too. */
export function Page({ title, lead, aside, actions, back, children }: PageProps) {
  const { name } = useLook()
  useEffect(() => {
    document.title = `${title} · ${name}`
  }, [title, name])
  return (
    <>
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          {back && (
            <Link
              to={back.to}
              className="mb-1 inline-flex items-center gap-1 text-sm text-kumo-subtle hover:text-kumo-default"
            >
              <CaretLeftIcon size={14} aria-hidden />
              {back.label}
            </Link>
          )}
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="text-2xl font-semibold tracking-tight wrap-anywhere">{title}</h1>
            {aside}
          </div>
          {lead && <p className="mt-1 max-w-prose text-kumo-subtle">{lead}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className="flex flex-col gap-6">{children}</div>
    </>
  )
}
