import type { Schemas } from '../../api/schemas.ts'
import type { InWords } from '../../words/health.ts'
import { Explain } from '../explain.tsx'
import { JsonView } from '../json/json-view.tsx'

/** Tells if the sample matches, or which rule refuses it; then the request that it would be. */
export function PreviewAnswer({ answer }: { answer: Schemas['Preview'] }) {
  const { request, failure, signedWith } = answer
  return (
    <>
      <Explain words={verdictOf(answer)} />
      {failure !== null && (
        <p className="text-kumo-danger wrap-anywhere">No request can be made: {failure.message}</p>
      )}
      {request !== null && (
        <div className="min-w-0 overflow-hidden rounded-lg ring ring-kumo-hairline">
          <JsonView key={request.body} label="Body" text={request.body} />
          <dl className="flex flex-col gap-1 border-t border-kumo-hairline p-3 text-sm">
            {Object.entries(request.headers).map(([name, value]) => (
              <div key={name} className="wrap-anywhere">
                <dt className="inline text-kumo-subtle">{name}: </dt>
                <dd className="inline font-mono">{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
      {signedWith !== null && (
        <p className="text-sm text-kumo-subtle">
          The signatures are of keys made for this preview, which no receiver takes.
        </p>
      )}
    </>
  )
}

function verdictOf({ matches, event, explanation }: Schemas['Preview']): InWords {
  return matches
    ? { tone: 'good', label: 'Matches', sentence: `${event} would be delivered as below.` }
    : { tone: 'warning', label: 'Refused', sentence: explanation ?? `${event} would not be delivered.` }
}
