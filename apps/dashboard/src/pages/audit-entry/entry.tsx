import type { ReactNode } from 'react'
import type { Schemas } from '../../api/schemas.ts'
import { Section } from '../../components/section.tsx'
import { fullTime } from '../../words/time.ts'

/** All that a row holds beside the fields, as it is kept. */
export function Entry({ entry }: { entry: Schemas['AuditEntry'] }) {
  const { no, at, actor, address, userAgent, action, route, object, requestId, previousHash, hash } = entry
  return (
    <Section title={`Row ${no}`}>
      <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-[10rem_minmax(0,1fr)]">
        <Line name="When">{fullTime(at)}</Line>
        <Line name="Who">
          <code>{actor}</code>
        </Line>
        <Line name="From">{address ?? 'an address that is not known'}</Line>
        <Line name="By">{userAgent ?? 'a program that does not say what it is'}</Line>
        <Line name="Object">
          <code>{object}</code>
        </Line>
        <Line name="Call">
          <code>
            {action}: {route}
          </code>
        </Line>
        <Line name="Request">
          <code>{requestId}</code>
        </Line>
        <Line name="Hash">
          <code>{hash}</code>
        </Line>
        <Line name="Hash before">
          <code>{previousHash}</code>
        </Line>
      </dl>
    </Section>
  )
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-sm text-kumo-subtle max-sm:-mb-2.5">{name}</dt>
      <dd className="text-sm wrap-anywhere">{children}</dd>
    </div>
  )
}
