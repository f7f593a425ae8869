import { useQuery } from '@tanstack/react-query'
import { SessionContext, sessionOf } from '../api/session.ts'
import { Problem } from '../components/problem.tsx'
import { Waiting } from '../components/waiting.tsx'
import { Layout } from './layout.tsx'
import { Pages } from './pages.tsx'

/** Asks whose credential it is before anything else: the session decides what is shown. */
export function SignedIn({ token }: { token: string }) {
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
      <Layout>
        <Pages />
      </Layout>
    </SessionContext>
  )
}
