import { CSPProvider } from '@cloudflare/kumo/primitives/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { BrowserRouter, Route, Routes } from 'react-router'
import { queryClient } from '../api/client.ts'
import { useCredential } from '../api/credential.ts'
import { basename, isPortal } from '../api/workspace.ts'
import { Notices } from '../components/notices.tsx'
import { Waiting } from '../components/waiting.tsx'
import { NoLink } from '../pages/no-link/page.tsx'
import { SignIn } from '../pages/sign-in/page.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { SignedIn } from './signed-in.tsx'

/** The pages for those who have signed in, at the address where they were asked for; for others, the sign-in. */
export function App() {
  return (
    // The pages' policy takes no <style> of a script's making.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <BrowserRouter basename={basename}>
          <Notices>
            <ErrorBoundary>
              <Routes>
                {!isPortal && <Route path="/docs/*" element={<PublicReference />} />}
                <Route path="*" element={<Door />} />
              </Routes>
            </ErrorBoundary>
          </Notices>
        </BrowserRouter>
      </QueryClientProvider>
    </CSPProvider>
  )
}

const Reference = lazy(async () => ({ default: (await import('../pages/reference/page.tsx')).Page }))

/** It shows nothing of a workspace, and so is there for those who have not signed in. */
function PublicReference() {
  return (
    <Suspense fallback={<Waiting label="Loading the reference" />}>
      <Reference />
    </Suspense>
  )
}

function Door() {
  const credential = useCredential()
  if (credential !== null) return <SignedIn key={credential.token} token={credential.token} />
  return isPortal ? <NoLink /> : <SignIn />
}
