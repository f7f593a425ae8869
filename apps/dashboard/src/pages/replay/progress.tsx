import type { Schemas } from '../../api/schemas.ts'
import { numberInWords } from '../../words/numbers.ts'

type ProgressProps = {
  state: Schemas['Replay']['state']
  replayed: number
  /** As the dry run has counted; 0 where it is not known. */
  expected: number
}

/** A bar of what is done, as long as something is still to come. */
export function Progress({ state, replayed, expected }: ProgressProps) {
  if (state !== 'running') return null
  const isKnown = expected > 0
  return (
    <div className="flex flex-col gap-1">
      <progress
        aria-label="Progress of the replay"
        className="h-2 w-full"
        {...(isKnown && { max: expected, value: Math.min(replayed, expected) })}
      />
      {isKnown && (
        <span className="text-sm text-kumo-subtle tabular-nums">
          {numberInWords(replayed)} of about {numberInWords(expected)}
        </span>
      )}
    </div>
  )
}
