import { Button } from '@cloudflare/kumo/components/button'
import { SignOutIcon } from '@phosphor-icons/react'
import { Link, NavLink } from 'react-router'
import { signOut } from '../api/client.ts'
import { may, type Session, useSession } from '../api/session.ts'
import { LiveState } from '../live/live-stream.tsx'
import { Brand } from './brand.tsx'
import { NAV_GROUPS, PAGES } from './page-list.ts'
import { ThemeSwitch } from './theme-switch.tsx'
import { WorkspaceSwitch } from './workspace-switch.tsx'

/** The way to all pages that the caller may see, and who they are. */
export function Navigation() {
  const session = useSession()
  const shown = PAGES.filter(({ right }) => may(session, right))
  return (
    <div className="flex h-full flex-col gap-6 p-4">
      <div className="hidden px-2 pt-1 lg:block">
        <Brand />
      </div>
      {session.portal === null && <WorkspaceSwitch />}
      <nav aria-label="Pages" className="flex flex-1 flex-col gap-5 overflow-y-auto">
        {NAV_GROUPS.map((group) => {
          const entries = shown.flatMap(({ path, nav }) => (nav?.group === group ? [{ path, ...nav }] : []))
          if (entries.length === 0) return null
          return (
            <div key={group}>
              <h2 className="px-2 pb-1 text-xs font-medium text-kumo-subtle">{group}</h2>
              <ul className="flex flex-col gap-0.5">
                {entries.map(({ path, label, icon: Icon }) => (
                  <li key={path}>
                    <NavLink
                      to={path}
                      end={path === '/'}
                      className="flex items-center gap-2.5 rounded-md px-2 py-1.5 hover:bg-kumo-tint aria-[current=page]:bg-kumo-tint aria-[current=page]:font-medium aria-[current=page]:shadow-[inset_3px_0_0_var(--accent)]"
                    >
                      <Icon size={18} aria-hidden />
                      {label}
                    </NavLink>
                  </li>
                ))}
              </ul>
            </div>
          )
        })}
      </nav>
      <div className="flex flex-col gap-3 border-t border-kumo-hairline pt-4">
        {session.portal === null && (
          <Link to="/docs" className="rounded-md px-2 text-sm text-kumo-subtle hover:text-kumo-default">
            API reference
          </Link>
        )}
        {may(session, 'deliveries:read') && <LiveState />}
        <ThemeSwitch />
        <div className="flex items-center justify-between gap-2 px-2">
          <span className="min-w-0 truncate text-sm text-kumo-subtle" title={nameOf(session)}>
            {nameOf(session)}
          </span>
          <Button size="sm" variant="ghost" icon={<SignOutIcon />} onClick={signOut}>
            Sign out
          </Button>
        </div>
      </div>
    </div>
  )
}

function nameOf({ kind, key, portal, actor }: Session): string {
  if (portal !== null) return portal.subject ?? ''
  return kind === 'operator' ? 'Operator' : (key?.name ?? actor)
}
