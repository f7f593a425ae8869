import type { Schemas } from '../../api/schemas.ts'
import { Time } from '../../components/time.tsx'
import { lengthInWords } from '../../words/time.ts'

type Attempt = Schemas['Attempt']

/** The attempts of a delivery on a line of time. */
export function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <ol className="ml-1.5 flex flex-col gap-2 border-l border-kumo-line pl-4">
      {attempts.map((attempt) => (
        <li key={attempt.id} className="relative flex flex-col gap-0.5">
          <span
            aria-hidden
            className={`absolute top-1.5 -left-[1.3rem] size-2 rounded-full ${attempt.error === null ? 'bg-kumo-success' : 'bg-kumo-danger'}`}
          />
          <span className="text-sm">
            <span className="font-medium">Attempt {attempt.attempt}</span>
            <span className="text-kumo-subtle">
              {' · '}
              <Time at={attempt.attemptedAt} />
              {attempt.responseTime !== null && ` · ${lengthInWords(attempt.responseTime)}`}
            </span>
          </span>
          <span className="text-sm text-kumo-subtle wrap-anywhere">
            {attempt.errorMessage ?? `The receiver answered ${attempt.responseCode}.`}
          </span>
          {attempt.responseBody !== null && attempt.responseBody !== '' && (
            <details>
              <summary className="cursor-pointer text-sm text-kumo-link">What the receiver answered</summary>
              <pre className="mt-1 max-h-48 overflow-auto rounded-md bg-kumo-recessed p-2 text-sm whitespace-pre-wrap wrap-anywhere">
                {attempt.responseBody}
              </pre>
            </details>
          )}
        </li>
      ))}
    </ol>
  )
}
