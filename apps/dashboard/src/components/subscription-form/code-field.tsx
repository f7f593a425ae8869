import { InputArea } from '@cloudflare/kumo/components/input'
import { type ChangeEvent, useRef } from 'react'
import { CompletingArea } from '../completion/completing-area.tsx'
import type { Completer } from '../completion/completion.ts'
import { errorPlace, type Place } from '../completion/error-place.ts'
import { ErrorPointer } from '../completion/error-pointer.tsx'
import type { FieldName } from './draft.ts'

type CodeFieldProps = {
  label: string
  rows: number
  description: string
  name: FieldName
  value: string
  error?: string
  onValue: (value: string) => void
  complete?: Completer
}

/** A text with a grammar: it is completed while it is typed, and shows where it is wrong. */
export function CodeField({ name, value, error, onValue, complete, ...props }: CodeFieldProps) {
  const field = useRef<HTMLDivElement>(null)
  const place = error === undefined ? null : errorPlace(value, error)
  const area = {
    ...{ ...props, name, value },
    className: 'font-mono text-sm',
    spellCheck: false,
    onChange: (event: ChangeEvent<HTMLTextAreaElement>) => onValue(event.target.value),
    ...(error !== undefined && { error, 'aria-invalid': true }),
  }
  const goTo = ({ offset }: Place) => {
    const shown = field.current?.querySelector('textarea')
    shown?.focus()
    shown?.setSelectionRange(offset, offset + 1)
  }
  return (
    <div ref={field} className="flex min-w-0 flex-col gap-2">
      {complete === undefined ? (
        <InputArea {...area} />
      ) : (
        <CompletingArea {...area} complete={complete} onComplete={onValue} />
      )}
      {place !== null && <ErrorPointer place={place} onGo={() => goTo(place)} />}
    </div>
  )
}
