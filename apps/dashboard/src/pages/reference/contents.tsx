import { Input } from '@cloudflare/kumo/components/input'
import { useState } from 'react'
import { NavLink } from 'react-router'
import type { ApiDocument } from './document.ts'
import { Prose } from './prose.tsx'

/** All calls by resource, and a search among them. */
export function Contents({ document }: { document: ApiDocument }) {
  const [search, setSearch] = useState('')
  const groups = document.groups(search)
  return (
    <div className="flex flex-col gap-4">
      <Input
        label="Find a call"
        type="search"
        size="sm"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <nav aria-label="Calls" className="flex flex-col gap-4">
        <Entry to="/docs" text="Start" />
        {groups.map(({ tag, calls }) => (
          <div key={tag}>
            <h2 className="px-2 pb-1 text-xs font-medium text-kumo-subtle">{tag}</h2>
            <ul className="flex flex-col gap-0.5">
              {calls.map(({ operation: { operationId, summary } }) => (
                <li key={operationId}>
                  <Entry to={`/docs/${operationId}`} text={summary} />
                </li>
              ))}
            </ul>
          </div>
        ))}
        {groups.length === 0 && <p className="px-2 text-sm text-kumo-subtle">No call is like that.</p>}
      </nav>
    </div>
  )
}

function Entry({ to, text }: { to: string; text: string }) {
  return (
    <NavLink
      to={to}
      end
      className="block rounded-md px-2 py-1 text-sm hover:bg-kumo-tint aria-[current=page]:bg-kumo-tint aria-[current=page]:font-medium"
    >
      <Prose text={text} />
    </NavLink>
  )
}
