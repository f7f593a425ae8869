import { useSession } from './session.ts'

/** The name, logo and colour that the pages bear. */
export type Look = { name: string; logo: string | null; accentColor: string }

const OWN: Look = { name: 'Posthorn', logo: '/favicon.svg', accentColor: 'transparent' }

/** The look of the relay's own pages, or that of the operator in those that customers see. */
export function useLook(): Look {
  const { portal } = useSession()
  if (portal === null) return OWN
  const { name = 'Webhooks', logo = null, accentColor = 'transparent' } = portal.theme ?? {}
  return { name, logo, accentColor }
}
