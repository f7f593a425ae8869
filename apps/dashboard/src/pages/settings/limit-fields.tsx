import { Input } from '@cloudflare/kumo/components/input'
import { useMay, useSession } from '../../api/session.ts'
import { Section } from '../../components/section.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { bindTexts, type FieldsProps } from './bind.ts'
import { LIMIT_NAMES, type LimitName } from './draft.ts'

const LABELS: Record<LimitName, string> = {
  requestsPerSecond: 'Requests per second',
  eventsPerSecond: 'Events per second',
  eventsPerDay: 'Events per day',
  subscriptions: 'Subscriptions',
  payloadBytes: 'Bytes of one event',
  storedEvents: 'Stored events',
}

/** How much the workspace may use, and what is left of it; set by the operator alone. */
export function LimitFields(props: FieldsProps) {
  const text = bindTexts(props)
  const isOperator = useMay('operator')
  const { limits } = useSession()
  const leftOf = (name: LimitName) =>
    limits.find((limit) => limit.of === 'workspace' && limit.name === name)?.left
  return (
    <Section title="Limits">
      <div className="flex flex-col gap-4">
        <p className="text-sm text-kumo-subtle">
          {isOperator ? 'Empty: no limit.' : 'The operator of this relay sets them. Empty: no limit.'}
        </p>
        <fieldset className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          <legend className="sr-only">Limits</legend>
          {LIMIT_NAMES.map((name) => (
            <Input
              key={name}
              label={LABELS[name]}
              inputMode="numeric"
              disabled={!isOperator}
              {...leftInWords(leftOf(name))}
              {...text(name)}
            />
          ))}
        </fieldset>
      </div>
    </Section>
  )
}

function leftInWords(left: number | undefined): { description?: string } {
  return left === undefined ? {} : { description: `${numberInWords(left)} left` }
}
