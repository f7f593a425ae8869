import { lazy, Suspense } from 'react'
import { matchPath, Route, Routes, useLocation } from 'react-router'
import { may, useSession } from '../api/session.ts'
import { Waiting } from '../components/waiting.tsx'
import { NotFound } from '../pages/not-found/page.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { PAGES } from './page-list.ts'

const LAZY_PAGES = PAGES.map(({ path, right, load }) => ({
  path,
  right,
  Page: lazy(async () => ({ default: (await load()).Page })),
}))

/** Loads the code of a page, while it is being found out who is there. */
export function preloadPage(pathname: string): void {
  const entry = PAGES.find(({ path }) => matchPath(path, pathname) !== null)
  // What fails is tried again, and told of, once the page is shown.
  entry?.load().catch(() => undefined)
}

/** The page of the address. One that the caller may not see is not there for them. */
export function Pages() {
  const session = useSession()
  const { pathname } = useLocation()
  return (
    <ErrorBoundary resetKey={pathname}>
      <Suspense fallback={<Waiting label="Loading the page" />}>
        <Routes>
          {LAZY_PAGES.filter(({ right }) => may(session, right)).map(({ path, Page }) => (
            <Route key={path} path={path} element={<Page />} />
          ))}
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </ErrorBoundary>
  )
}
