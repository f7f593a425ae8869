import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { Switch } from '@cloudflare/kumo/components/switch'
import type { ReactNode } from 'react'
import { Section } from '../../components/section.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { bindSwitches, bindTexts, type FieldsProps } from './bind.ts'

const ENFORCEMENTS = [
  { value: 'off', label: 'Nothing: every event is taken' },
  { value: 'warn', label: 'Warn the publisher, and take it' },
  { value: 'reject', label: 'Refuse it' },
] as const

const CODE = 'font-mono text-sm'

/** How events are taken that do not say all of it themselves. */
export function EventFields(props: FieldsProps) {
  const [text, toggle] = [bindTexts(props), bindSwitches(props)]
  return (
    <Section title="Events">
      <div className="flex flex-col gap-4">
        <Choice
          label="An event that is not as the catalogue has it"
          name="eventTypeEnforcement"
          value={props.draft.eventTypeEnforcement}
          options={ENFORCEMENTS}
          onChange={(eventTypeEnforcement) => props.onChange({ eventTypeEnforcement })}
          description="Its type is not known there, or its data does not match the schema."
        />
        <Input label="API version" description="Of events that name none." {...text('apiVersion')} />
        <Switch label="Events that do not say are live ones" {...toggle('livemode')} />
      </div>
    </Section>
  )
}

/** How long events are kept. */
export function KeepingFields(props: FieldsProps) {
  const [text, toggle] = [bindTexts(props), bindSwitches(props)]
  return (
    <Section title="Retention">
      <div className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Input
            label="Days"
            inputMode="numeric"
            description="Older events are purged, with their deliveries."
            {...text('retentionDays')}
          />
          <Input
            label="Megabytes"
            inputMode="decimal"
            description="The oldest events are purged while all take more. Empty: no limit."
            {...text('retentionMegabytes')}
          />
        </div>
        <Switch label="Archive events before they are purged" {...toggle('archive')} />
      </div>
    </Section>
  )
}

/** Where deliveries may go. */
export function DestinationFields(props: FieldsProps) {
  const [text, toggle] = [bindTexts(props), bindSwitches(props)]
  const { draft, problems } = props
  return (
    <Section title="Destinations">
      <div className="flex flex-col gap-4">
        <p className="text-sm text-kumo-subtle">
          Where deliveries may go. Rules can be made narrower here; only the operator may let deliveries go to
          more places.
        </p>
        <div className="grid gap-4 sm:grid-cols-2">
          <InputArea
            label="Allowed hosts"
            rows={3}
            className={CODE}
            placeholder="*.example.com"
            description="A line each. Empty: every public host."
            {...text('allowedHosts')}
          />
          <InputArea
            label="Denied hosts"
            rows={3}
            className={CODE}
            description="A line each; they count even if they are allowed."
            {...text('deniedHosts')}
          />
        </div>
        <Input
          label="Ports"
          placeholder="8443"
          description="Beside the usual one of the scheme."
          {...text('allowedPorts')}
        />
        <Toggle problem={problems.allowHttp}>
          <Switch label="Plain http is allowed as well" {...toggle('allowHttp')} />
        </Toggle>
        <Toggle problem={problems.verifyOwnership}>
          <Switch
            label="A host has to answer a challenge before anything is sent to it"
            {...toggle('verifyOwnership')}
          />
        </Toggle>
        <Toggle problem={problems.hasOwnCertificates}>
          <Switch label="Only some of the relay's client certificates" {...toggle('hasOwnCertificates')} />
        </Toggle>
        {draft.hasOwnCertificates && (
          <InputArea
            label="Client certificates"
            rows={2}
            className={CODE}
            description="Their names, a line each. Empty: none."
            {...text('allowedCertificates')}
          />
        )}
      </div>
    </Section>
  )
}

function Toggle({ problem, children }: { problem: string | undefined; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      {children}
      {problem !== undefined && (
        <p role="alert" className="text-sm text-kumo-danger">
          {problem}
        </p>
      )}
    </div>
  )
}
