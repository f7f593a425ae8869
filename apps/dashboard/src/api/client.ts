import { keepPreviousData, QueryClient } from '@tanstack/react-query'
import createFetchClient, { type Middleware } from 'openapi-fetch'
import createQueryHooks from 'openapi-react-query'
import type { paths } from 'posthorn/openapi'
import { credential, hasPortalToken, setCredential, takePortalToken } from './credential.ts'
import { ApiProblem, problemOf } from './problem.ts'
import { addressedWorkspace } from './workspace.ts'

const authorize: Middleware = {
  onRequest({ request }) {
    const shown = credential()
    if (shown !== null && !request.headers.has('Authorization'))
      request.headers.set('Authorization', `Bearer ${shown.token}`)
    if (addressedWorkspace !== null) request.headers.set('X-Company-Id', addressedWorkspace)
    return request
  },
  async onResponse({ request, response }) {
    if (response.ok) return response
    const problem = await problemOf(response)
    // The credential has ended meanwhile: the sign-in says so, at the same address.
    const isOwn = request.headers.get('Authorization') === `Bearer ${credential()?.token}`
    if (problem.status === 401 && isOwn) endSession(problem)
    throw problem
  },
}

/** Calls of the API, typed by its document; a refusal is thrown as an `ApiProblem`. */
export const api = createFetchClient<paths>({ baseUrl: window.location.origin })
api.use(authorize)

/** The same calls as queries and mutations: `useQuery('get', '/api/v1/webhooks', …)`. */
export const { useQuery, useMutation, queryOptions } = createQueryHooks(api)

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A page that is turned shows the last one until the next is there.
      placeholderData: keepPreviousData,
      // A refusal stays one; what got no answer is tried again.
      retry: (failures, error) => !(error instanceof ApiProblem && error.status < 500) && failures < 2,
    },
  },
})

let endReason: string | null = null

/** Why the last session ended; null where it was signed out of, or there was none. */
export function endOfSession(): string | null {
  return endReason
}

const NO_LINK = 'This link is not valid. Copy the whole of it, or ask for a new one where you got it.'

/** The relay names what ended a link of its own; a text that was never one has neither. */
function endSession({ message, details }: ApiProblem): void {
  endReason = credential()?.from === 'link' && details.length === 0 ? NO_LINK : message
  setCredential(null)
  queryClient.clear()
}

/** Signs in by the link of the address, if there is one, with nothing in memory of the one before. */
export function openLink(): void {
  if (!hasPortalToken()) return
  endReason = null
  queryClient.clear()
  takePortalToken()
}

/** Forgets the credential, and all that was read with it. */
export function signOut(): void {
  endReason = null
  setCredential(null)
  queryClient.clear()
}
