import { Button } from '@cloudflare/kumo/components/button'
import type { Place } from './error-place.ts'

/** Characters that are shown before and after a place. */
const SHOWN_CHARS = 24

/** The line of a text in which something is wrong, the place marked; and a way there. */
export function ErrorPointer({ place, onGo }: { place: Place; onGo: () => void }) {
  const { line, column, text } = place
  const from = Math.max(0, column - 1 - SHOWN_CHARS)
  const shown = text.slice(from, column - 1 + SHOWN_CHARS)
  const mark = column - 1 - from
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
      <code className="min-w-0 rounded bg-kumo-recessed px-2 py-1 whitespace-pre-wrap wrap-anywhere">
        {from > 0 && '…'}
        {shown.slice(0, mark)}
        <mark className="rounded-sm bg-kumo-danger-tint text-kumo-danger underline decoration-wavy underline-offset-4">
          {shown.slice(mark, mark + 1) || ' '}
        </mark>
        {shown.slice(mark + 1)}
      </code>
      <Button type="button" size="sm" variant="ghost" onClick={onGo}>
        Go to line {line}, column {column}
      </Button>
    </div>
  )
}
