import {
  BroadcastIcon,
  BuildingsIcon,
  ClockCounterClockwiseIcon,
  GaugeIcon,
  GearIcon,
  type Icon,
  KeyIcon,
  LightningIcon,
  LinkIcon,
  ListMagnifyingGlassIcon,
  PaperPlaneTiltIcon,
  PulseIcon,
  TagIcon,
} from '@phosphor-icons/react'
import type { ComponentType } from 'react'
import type { Right } from '../api/session.ts'

/** A page: its address, the right it asks for, and its code, which is loaded when it is opened. */
export type PageEntry = {
  path: string
  /** One of several will do where there are several. */
  right: Right | readonly Right[]
  load: () => Promise<{ Page: ComponentType }>
  /** Left out for a page that is reached from others only. */
  nav?: { label: string; icon: Icon; group: NavGroup }
}

export const NAV_GROUPS = ['Traffic', 'Setup', 'Workspace', 'Relay'] as const
export type NavGroup = (typeof NAV_GROUPS)[number]

/** Every page, in the order of the navigation. A new one is a folder in `pages/` and an entry here. */
export const PAGES: readonly PageEntry[] = [
  {
    path: '/',
    right: 'any',
    load: () => import('../pages/overview/page.tsx'),
    nav: { label: 'Overview', icon: GaugeIcon, group: 'Traffic' },
  },
  {
    path: '/events',
    right: 'events:read',
    load: () => import('../pages/events/page.tsx'),
    nav: { label: 'Events', icon: LightningIcon, group: 'Traffic' },
  },
  {
    path: '/publish',
    right: 'events:publish',
    load: () => import('../pages/publish/page.tsx'),
  },
  // Without `events:read` it shows the deliveries, and not what the event said.
  {
    path: '/events/:id',
    right: ['events:read', 'deliveries:read'],
    load: () => import('../pages/event/page.tsx'),
  },
  {
    path: '/deliveries',
    right: 'deliveries:read',
    load: () => import('../pages/deliveries/page.tsx'),
    nav: { label: 'Deliveries', icon: PaperPlaneTiltIcon, group: 'Traffic' },
  },
  {
    path: '/replays',
    right: 'deliveries:read',
    load: () => import('../pages/replays/page.tsx'),
    nav: { label: 'Replays', icon: ClockCounterClockwiseIcon, group: 'Traffic' },
  },
  { path: '/replays/:id', right: 'deliveries:read', load: () => import('../pages/replay/page.tsx') },
  {
    path: '/subscriptions',
    right: 'webhooks:read',
    load: () => import('../pages/subscriptions/page.tsx'),
    nav: { label: 'Subscriptions', icon: BroadcastIcon, group: 'Setup' },
  },
  {
    path: '/subscriptions/new',
    right: 'webhooks:write',
    load: () => import('../pages/subscription-new/page.tsx'),
  },
  {
    path: '/subscriptions/:id/edit',
    right: 'webhooks:write',
    load: () => import('../pages/subscription-edit/page.tsx'),
  },
  {
    path: '/subscriptions/:id',
    right: 'webhooks:read',
    load: () => import('../pages/subscription/page.tsx'),
  },
  {
    path: '/event-types',
    right: 'webhooks:read',
    load: () => import('../pages/event-types/page.tsx'),
    nav: { label: 'Event types', icon: TagIcon, group: 'Setup' },
  },
  // Beside the types and not among them: each of these words may be the name of one.
  {
    path: '/new-event-type',
    right: 'event-types:write',
    load: () => import('../pages/event-type-new/page.tsx'),
  },
  {
    path: '/import-event-types',
    right: 'event-types:write',
    load: () => import('../pages/event-types-import/page.tsx'),
  },
  {
    path: '/event-types/:name/edit',
    right: 'event-types:write',
    load: () => import('../pages/event-type-edit/page.tsx'),
  },
  {
    path: '/event-types/:name',
    right: 'webhooks:read',
    load: () => import('../pages/event-type/page.tsx'),
  },
  {
    path: '/keys',
    right: 'workspace:admin',
    load: () => import('../pages/keys/page.tsx'),
    nav: { label: 'Keys', icon: KeyIcon, group: 'Workspace' },
  },
  {
    path: '/portal-links',
    right: 'workspace:admin',
    load: () => import('../pages/portal-links/page.tsx'),
    nav: { label: 'Portal links', icon: LinkIcon, group: 'Workspace' },
  },
  {
    path: '/audit-log',
    right: 'workspace:admin',
    load: () => import('../pages/audit-log/page.tsx'),
    nav: { label: 'Audit log', icon: ListMagnifyingGlassIcon, group: 'Workspace' },
  },
  {
    path: '/audit-log/:no',
    right: 'workspace:admin',
    load: () => import('../pages/audit-entry/page.tsx'),
  },
  {
    path: '/settings',
    right: 'workspace:read',
    load: () => import('../pages/settings/page.tsx'),
    nav: { label: 'Settings', icon: GearIcon, group: 'Workspace' },
  },
  {
    path: '/workspaces',
    right: 'operator',
    load: () => import('../pages/workspaces/page.tsx'),
    nav: { label: 'Workspaces', icon: BuildingsIcon, group: 'Relay' },
  },
  {
    path: '/operations',
    right: 'operator',
    load: () => import('../pages/operations/page.tsx'),
    nav: { label: 'Operations', icon: PulseIcon, group: 'Relay' },
  },
]
