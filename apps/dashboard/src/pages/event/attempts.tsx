import type { Schemas } from '../../api/schemas.ts'
import { Time } from '../../components/time.tsx'
import { lengthInWords } from '../../words/time.ts'
import { AttemptDetail } from './attempt-detail.tsx'

type AttemptsProps = { deliveryId: string; attempts: readonly Schemas['Attempt'][] }

/** The attempts of a delivery on a line of time. */
export function Attempts({ deliveryId, attempts }: AttemptsProps) {
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
          <AttemptDetail deliveryId={deliveryId} attempt={attempt} />
        </li>
      ))}
    </ol>
  )
}
