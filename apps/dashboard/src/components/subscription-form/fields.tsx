import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { Switch } from '@cloudflare/kumo/components/switch'
import type { ChangeEvent } from 'react'
import { Section } from '../section.tsx'
import { Choice } from './choice.tsx'
import { CodeField } from './code-field.tsx'
import type { Draft, FieldName, FieldProblems } from './draft.ts'
import type { Completers } from './use-completers.ts'

export type FieldsProps = {
  draft: Draft
  problems: FieldProblems
  completers: Completers
  onChange: (name: FieldName, value: string) => void
}

/** The name of each format, as people know it. `custom` takes settings that the API alone sets. */
const PROFILES = [
  { value: 'standard', label: 'Standard' },
  { value: 'standard-webhooks', label: 'Standard Webhooks' },
  { value: 'cloudevents', label: 'CloudEvents' },
  { value: 'bigledger', label: 'BigLedger' },
  { value: 'core', label: 'Core' },
  { value: 'ledgerly', label: 'Ledgerly' },
  { value: 'marko', label: 'Marko' },
] as const
const CUSTOM = { value: 'custom', label: 'Custom' } as const

const CODE = 'font-mono text-sm'

/** Joins a field with its name: its text, its problem, and what changes it. */
function bindTo({ draft, problems, onChange }: FieldsProps) {
  return (name: FieldName) => {
    const error = problems[name]
    return {
      name,
      value: draft[name],
      onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
        onChange(name, event.target.value),
      spellCheck: false,
      ...(error !== undefined && { error, 'aria-invalid': true }),
    }
  }
}

/** The same for a text with a grammar. */
function bindCodeTo({ draft, problems, onChange }: FieldsProps) {
  return (name: FieldName) => {
    const error = problems[name]
    return {
      name,
      value: draft[name],
      onValue: (value: string) => onChange(name, value),
      ...(error !== undefined && { error }),
    }
  }
}

/** Where events go, and which. */
export function ReceiverFields(props: FieldsProps) {
  const [bind, bindCode] = [bindTo(props), bindCodeTo(props)]
  const { completers } = props
  return (
    <Section title="Receiver">
      <div className="flex flex-col gap-4">
        <Input label="URL" placeholder="https://example.com/webhooks" inputMode="url" {...bind('url')} />
        <CodeField
          label="Events"
          rows={2}
          description="Types such as invoice.paid, invoice.* or *, a line each."
          complete={completers.events}
          {...bindCode('events')}
        />
        <Input label="Name" description="What it is called here." {...bind('name')} />
        <InputArea label="Description" rows={2} {...bind('description')} />
        <CodeField
          label="Filters"
          rows={3}
          description="An expression a line, such as data.object.total >= 1000; all have to hold. Or JSON."
          complete={completers.filters}
          {...bindCode('filters')}
        />
      </div>
    </Section>
  )
}

/** What a request looks like. */
export function ShapeFields(props: FieldsProps) {
  const [bind, bindCode] = [bindTo(props), bindCodeTo(props)]
  const { draft, onChange, completers } = props
  return (
    <Section title="Shape of a request">
      <div className="flex flex-col gap-4">
        <Choice
          label="Format"
          name="profile"
          value={draft.profile}
          onChange={(profile) => onChange('profile', profile)}
          options={draft.profile === 'custom' ? [...PROFILES, CUSTOM] : PROFILES}
          description="Body, signature, and the retries and the timeout where none are set below."
        />
        <CodeField
          label="Template"
          rows={4}
          description="JSON whose texts are Liquid, or one text. Empty: the body of the format."
          complete={completers.template}
          {...bindCode('template')}
        />
        <Input
          label="Content type"
          placeholder="application/json"
          description="Of what the template makes."
          {...bind('contentType')}
        />
        <InputArea
          label="Headers"
          rows={2}
          className={CODE}
          description="A line each: X-Team: billing"
          {...bind('headers')}
        />
      </div>
    </Section>
  )
}

/** How fast, how often, and for whom. */
export function PaceFields(props: FieldsProps) {
  const bind = bindTo(props)
  const { draft, onChange } = props
  return (
    <Section title="Pace and retries">
      <div className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Input label="Timeout in seconds" inputMode="numeric" {...bind('timeoutSeconds')} />
          <Input label="Concurrent requests" inputMode="numeric" {...bind('concurrency')} />
          <Input label="Rate limit: requests" inputMode="numeric" {...bind('rateRequests')} />
          <Input
            label="Rate limit: per seconds"
            inputMode="numeric"
            placeholder="1"
            {...bind('ratePerSeconds')}
          />
        </div>
        <Switch
          label="One after the other, in the order of events"
          checked={draft.ordered !== ''}
          onCheckedChange={(isOrdered) => onChange('ordered', isOrdered ? 'yes' : '')}
        />
        <CodeField
          label="Retry policy"
          rows={3}
          description={'JSON, such as {"maxRetries": 5, "retryDelay": 10}. Empty: that of the format.'}
          {...bindCodeTo(props)('retryPolicy')}
        />
        <InputArea
          label="Metadata"
          rows={2}
          className={CODE}
          description="For you alone, a line each: team: billing"
          {...bind('metadata')}
        />
      </div>
    </Section>
  )
}
