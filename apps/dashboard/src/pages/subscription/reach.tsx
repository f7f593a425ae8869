import { Button } from '@cloudflare/kumo/components/button'
import { PaperPlaneTiltIcon, PulseIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { Explain } from '../../components/explain.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { reachInWords, stepInWords, testInWords } from '../../words/reach.ts'

/** Finds out if the receiver can be reached, step by step, or sends it a test event. */
export function Reach({ id }: { id: string }) {
  const onSuccess = () => queryClient.invalidateQueries()
  const check = useMutation('post', '/api/v1/webhooks/{id}/check', { onSuccess })
  const test = useMutation('post', '/api/v1/webhooks/{id}/test', { onSuccess })
  /** Asks one, and takes the other one's answer away. */
  const ask = (asked: typeof check | typeof test, other: typeof check | typeof test) => {
    other.reset()
    asked.mutate({ params: { path: { id } } })
  }
  if (!useMay('deliveries:retry')) return null
  const error = check.error ?? test.error
  return (
    <Section
      title="Can the receiver be reached?"
      actions={
        <div className="flex gap-2">
          <Button icon={<PulseIcon />} loading={check.isPending} onClick={() => ask(check, test)}>
            Check
          </Button>
          <Button icon={<PaperPlaneTiltIcon />} loading={test.isPending} onClick={() => ask(test, check)}>
            Send a test event
          </Button>
        </div>
      }
    >
      <div aria-live="polite" className="flex flex-col gap-3">
        {error !== null && <Problem error={error} />}
        {check.data !== undefined && <Checked answer={check.data.data} />}
        {test.data !== undefined && <Tested outcome={test.data.data} />}
        {error === null && check.data === undefined && test.data === undefined && (
          <p className="text-kumo-subtle">
            A check looks up the host, connects and sends a ping. A test sends an event, and shows the answer.
            Neither is counted.
          </p>
        )}
      </div>
    </Section>
  )
}

function Checked({ answer }: { answer: Schemas['ReceiverCheck'] }) {
  return (
    <>
      <Explain words={reachInWords(answer)} />
      <ol className="flex flex-col gap-2">
        {answer.steps.map((step) => (
          <li key={step.step}>
            <Explain words={stepInWords(step)} />
          </li>
        ))}
      </ol>
    </>
  )
}

function Tested({ outcome }: { outcome: Schemas['DeliveryOutcome'] }) {
  return (
    <>
      <Explain words={testInWords(outcome)} />
      <Link to={`/events/${outcome.eventId}`} className="text-kumo-link underline">
        What was sent and what came back
      </Link>
    </>
  )
}
