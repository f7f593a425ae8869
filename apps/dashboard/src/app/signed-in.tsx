import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useLocation } from 'react-router'
import { may, SessionContext, sessionOf } from '../api/session.ts'
import { Problem } from '../components/problem.tsx'
import { Waiting } from '../components/waiting.tsx'
import { LiveStream } from '../live/live-stream.tsx'
import { Layout } from './layout.tsx'
import { Pages, preloadPage } from './pages.tsx'

/** Asks whose credential it is before anything else: the session decides what is shown. */
export function SignedIn({ token }: { token: string }) {
  const { pathname } = useLocation()
  useEffect(() => preloadPage(pathname), [pathname])
  const session = useQuery({
    // Not the token: it is nothing to be read out of a cache.
    queryKey: ['session'],
    queryFn: () => sessionOf(token),
    staleTime: 60_000,
  })
  if (session.isPending) return <Waiting label="Signing in" />
  if (session.error !== null)
    return (
      <div className="mx-auto max-w-xl p-6">
        <Problem error={session.error} onRetry={() => void session.refetch()} />
      </div>
    )
  return (
    <SessionContext value={session.data}>
      {may(session.data, 'deliveries:read') && <LiveStream />}
      <Layout>
        <Pages />
      </Layout>
    </SessionContext>
  )
}
