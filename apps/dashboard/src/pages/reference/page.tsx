import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'react-router'
import { ThemeSwitch } from '../../app/theme-switch.tsx'
import { Problem } from '../../components/problem.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { Contents } from './contents.tsx'
import { type ApiDocument, readDocument } from './document.ts'
import { OperationView } from './operation-view.tsx'
import { Start } from './start.tsx'

/** The reference of the API, made from its document: for everybody, with or without a key. */
export function Page() {
  const { data, error, refetch } = useQuery({
    queryKey: ['openapi.json'],
    queryFn: readDocument,
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (error !== null)
    return (
      <main className="mx-auto max-w-xl p-6">
        <Problem error={error} onRetry={() => void refetch()} />
      </main>
    )
  if (data === undefined) return <Waiting label="Loading the reference" />
  return <Reference document={data} />
}

function Reference({ document }: { document: ApiDocument }) {
  const { pathname } = useLocation()
  const [isOpen, setIsOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    setIsOpen(false)
    main.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [pathname])
  return (
    <div className="min-h-dvh bg-kumo-canvas text-kumo-default lg:grid lg:grid-cols-[19rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-kumo-base px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="flex flex-col gap-4 border-b border-kumo-hairline bg-kumo-base p-4 lg:sticky lg:top-0 lg:h-dvh lg:overflow-y-auto lg:border-r lg:border-b-0">
        <div className="flex items-center justify-between gap-2">
          <Link
            to="/docs"
            className="flex items-center gap-2 rounded-md text-lg font-semibold tracking-tight"
          >
            <img src="/favicon.svg" alt="" width={24} height={24} />
            Posthorn API
          </Link>
          <Link to="/" className="rounded-md px-2 py-1 text-sm text-kumo-subtle hover:text-kumo-default">
            Dashboard
          </Link>
        </div>
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
          className="rounded-md px-2 py-1 text-left text-sm ring ring-kumo-line lg:hidden"
        >
          {isOpen ? 'Close the list of calls' : 'All calls'}
        </button>
        <div className={`${isOpen ? 'block' : 'hidden'} lg:block`}>
          <Contents document={document} />
        </div>
        <ThemeSwitch />
      </header>
      <main ref={main} id="main" tabIndex={-1} className="min-w-0 px-4 py-6 sm:px-6 lg:px-10 lg:py-8">
        <div className="mx-auto max-w-4xl">
          <Content document={document} name={pathname.split('/')[2] ?? ''} />
        </div>
      </main>
    </div>
  )
}

function Content({ document, name }: { document: ApiDocument; name: string }) {
  if (name === '') return <Start document={document} />
  const call = document.find(name)
  if (call !== null) return <OperationView key={name} document={document} call={call} />
  return (
    <>
      <h1 className="text-2xl font-semibold tracking-tight">There is no such call</h1>
      <p className="mt-1">
        <Link to="/docs" className="underline">
          See all calls
        </Link>
      </p>
    </>
  )
}
