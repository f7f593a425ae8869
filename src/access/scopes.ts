/** The rights that a credential may have; the list is closed and part of the API. */
export const SCOPES = [
  'events:publish',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'webhooks:secret',
  'deliveries:read',
  'deliveries:retry',
  'event-types:write',
  'sources:read',
  'sources:write',
  'workspace:read',
  'workspace:admin',
] as const
export type Scope = (typeof SCOPES)[number]

/** The right that a route asks for: the operator's key has all; `any` asks for a valid credential only. */
export type RouteScope = Scope | 'operator' | 'any'

const VIEWER = [
  'events:read',
  'webhooks:read',
  'deliveries:read',
  'sources:read',
  'workspace:read',
] as const satisfies readonly Scope[]

/** Names for sets of scopes. */
export const ROLES = {
  publisher: ['events:publish'],
  viewer: VIEWER,
  developer: [
    ...VIEWER,
    'events:publish',
    'webhooks:write',
    'webhooks:secret',
    'deliveries:retry',
    'event-types:write',
    'sources:write',
  ],
  'integration-administrator': SCOPES,
} as const satisfies Record<string, readonly Scope[]>
export type Role = keyof typeof ROLES

export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]]

/** Rights as they are given to a key: by a role's name, or one by one. */
export type Grant = { role: Role } | { scopes: readonly Scope[] }

/** The scopes that a grant stands for. */
export function scopesOf(grant: Grant): ReadonlySet<Scope> {
  return new Set('role' in grant ? ROLES[grant.role] : grant.scopes)
}

/** Tells a scope from any other text, such as one of a token. */
export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text)
}
