import { ApiProblem } from '../../api/problem.ts'
import { Problem } from '../problem.tsx'
import { Section } from '../section.tsx'
import { PreviewAnswer } from './preview-answer.tsx'
import { Sample } from './sample.tsx'
import type { PreviewState } from './use-preview.ts'

type PreviewProps = { state: PreviewState; sample: string; onSample: (sample: string) => void }

/** What an event would become under the draft. */
export function Preview({ state, sample, onSample }: PreviewProps) {
  const { isAsked, answer, error, sampleProblem } = state
  return (
    <Section title="Preview">
      <div className="flex flex-col gap-4">
        <Sample text={sample} onChange={onSample} error={sampleProblem} />
        <div aria-live="polite" className="flex min-w-0 flex-col gap-4">
          {!isAsked && <p className="text-kumo-subtle">It appears once a URL and events are given.</p>}
          {isAsked && error !== null && <Refused error={error} />}
          {isAsked && error === null && answer !== undefined && <PreviewAnswer answer={answer} />}
        </div>
      </div>
    </Section>
  )
}

/** The fields that the relay would refuse too, each with its reason. */
function Refused({ error }: { error: Error }) {
  if (!(error instanceof ApiProblem) || error.details.length === 0) return <Problem error={error} />
  return (
    <ul className="flex flex-col gap-1 text-kumo-danger wrap-anywhere">
      {error.details.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          {path.replace(/^subscription\./, '')}: {message}
        </li>
      ))}
    </ul>
  )
}
