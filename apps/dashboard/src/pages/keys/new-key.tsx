import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useSession } from '../../api/session.ts'
import { Problem } from '../../components/problem.tsx'
import { type Scope, ScopeChoice } from '../../components/scope-choice.tsx'
import { Section } from '../../components/section.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'

const ROLES = [
  { value: 'publisher', label: 'Publisher: publishes events' },
  { value: 'viewer', label: 'Viewer: sees everything' },
  { value: 'developer', label: 'Developer: all but keys and settings' },
  { value: 'integration-administrator', label: 'Administrator: everything' },
  { value: 'scopes', label: 'Scopes, one by one' },
] as const
const LIVES = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
] as const
const DAY_MS = 86_400_000

type Draft = { name: string; role: (typeof ROLES)[number]['value']; scopes: Scope[]; days: string }
const EMPTY: Draft = { name: '', role: 'publisher', scopes: [], days: '' }

/** Makes a key with a role or with scopes. */
export function NewKey({ onShow }: { onShow: (key: Schemas['ShownApiKey']) => void }) {
  const { scopes: offered } = useSession()
  const [draft, setDraft] = useState<Draft>(EMPTY)
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const create = useMutation('post', '/api/v1/keys', {
    onSuccess: ({ data }) => {
      onShow(data)
      setDraft(EMPTY)
      return queryClient.invalidateQueries()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ body: bodyOf(draft) })
  }
  return (
    <Section title="Make a key">
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <Input
          label="Name"
          description="Of the program that is to use it."
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
        />
        <Choice
          label="It may act as"
          name="role"
          value={draft.role}
          options={ROLES}
          onChange={(role) =>
            change({ role: ROLES.find(({ value }) => value === role)?.value ?? draft.role })
          }
        />
        {draft.role === 'scopes' && (
          <ScopeChoice offered={offered} chosen={draft.scopes} onChange={(scopes) => change({ scopes })} />
        )}
        <Choice
          label="It expires"
          name="expires"
          value={draft.days}
          options={LIVES}
          onChange={(days) => change({ days })}
        />
        {create.error !== null && <Problem error={create.error} />}
        <div>
          <Button type="submit" variant="primary" loading={create.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Section>
  )
}

function bodyOf({ name, role, scopes, days }: Draft): Schemas['ApiKeySettings'] {
  const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString()
  return { name, expiresAt, ...(role === 'scopes' ? { scopes } : { role }) }
}
