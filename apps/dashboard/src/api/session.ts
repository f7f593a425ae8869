import { createContext, use } from 'react'
import { api } from './client.ts'
import type { Schemas } from './schemas.ts'

export type Session = Schemas['Session']

/** The right that a page or an action asks for; `operator` is the admin key's alone. */
export type Right = Session['scopes'][number] | 'operator' | 'any'

export const SessionContext = createContext<Session | null>(null)

/** The session of whoever has signed in; pages are shown to nobody else. */
export function useSession(): Session {
  const session = use(SessionContext)
  if (session === null) throw new Error('There is no session outside of the layout.')
  return session
}

/** Tells if the caller may do something, so that what would be refused is not offered. */
export function useMay(right: Right): boolean {
  return may(useSession(), right)
}

export function may(session: Session, right: Right | readonly Right[]): boolean {
  if (typeof right !== 'string') return right.some((one) => may(session, one))
  if (right === 'any') return true
  if (right === 'operator') return session.kind === 'operator'
  return session.scopes.includes(right)
}

/** Asks the relay whose credential this is; throws its refusal. */
export async function sessionOf(token: string): Promise<Session> {
  const { data } = await api.GET('/api/v1/session', { headers: { Authorization: `Bearer ${token}` } })
  if (data === undefined) throw new Error('The relay gave no session.')
  return data.data
}
