import { Button } from '@cloudflare/kumo/components/button'
import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useSession } from '../../api/session.ts'
import { Problem } from '../../components/problem.tsx'
import { type Scope, ScopeChoice } from '../../components/scope-choice.tsx'
import { Section } from '../../components/section.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { readMetadata } from './read-metadata.ts'

/** Those that a link may give which is bound to some of the subscriptions. */
const OFFERED: readonly Scope[] = [
  'webhooks:read',
  'webhooks:write',
  'webhooks:secret',
  'deliveries:read',
  'deliveries:retry',
  'events:read',
]
const USUAL: readonly Scope[] = ['webhooks:read', 'webhooks:write', 'deliveries:read', 'deliveries:retry']
const LIVES = [
  { value: '3600', label: 'In an hour' },
  { value: '86400', label: 'In a day' },
  { value: '604800', label: 'In a week' },
] as const

/** Makes a link to the subscriptions that have some metadata. */
export function NewLink({ onMade }: { onMade: (made: Schemas['PortalToken']) => void }) {
  const { scopes: own } = useSession()
  const mayGive = (scope: Scope) => own.includes(scope)
  const [draft, setDraft] = useState({ metadata: '', subject: '', seconds: '3600' })
  const [scopes, setScopes] = useState<Scope[]>(USUAL.filter(mayGive))
  const [metadataProblem, setMetadataProblem] = useState<string | null>(null)
  const change = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part })
  const make = useMutation('post', '/api/v1/portal-tokens', { onSuccess: ({ data }) => onMade(data) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const read = readMetadata(draft.metadata)
    setMetadataProblem(read.ok ? null : read.problem)
    if (!read.ok) return
    const subject = draft.subject.trim()
    const webhooks = { metadata: read.metadata }
    const expiresInSeconds = Number(draft.seconds)
    make.mutate({ body: { scopes, webhooks, expiresInSeconds, ...(subject !== '' && { subject }) } })
  }
  return (
    <Section title="Make a link">
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <InputArea
          label="Metadata"
          rows={2}
          className="font-mono text-sm"
          placeholder="customerId=42"
          spellCheck={false}
          description="The customer sees the subscriptions that have all of these: name=value, a line each."
          value={draft.metadata}
          onChange={(event) => change({ metadata: event.target.value })}
          {...(metadataProblem !== null && { error: metadataProblem, 'aria-invalid': true })}
        />
        <Input
          label="Customer"
          description="As the audit log is to name them. It may be left empty."
          value={draft.subject}
          onChange={(event) => change({ subject: event.target.value })}
        />
        <ScopeChoice offered={OFFERED.filter(mayGive)} chosen={scopes} onChange={setScopes} />
        <p className="text-sm text-kumo-subtle">
          With webhooks:write a customer may have any event of this workspace sent to them.
        </p>
        <Choice
          label="It expires"
          name="expires"
          value={draft.seconds}
          options={LIVES}
          onChange={(seconds) => change({ seconds })}
        />
        {make.error !== null && <Problem error={make.error} />}
        <div>
          <Button type="submit" variant="primary" loading={make.isPending}>
            Make the link
          </Button>
        </div>
      </form>
    </Section>
  )
}
