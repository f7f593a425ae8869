import { InputArea } from '@cloudflare/kumo/components/input'
import {
  type ChangeEvent,
  type ComponentProps,
  type KeyboardEvent,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { countOf } from '../../words/numbers.ts'
import { type Completer, type Completion, withOption } from './completion.ts'

type CompletingAreaProps = Omit<ComponentProps<typeof InputArea>, 'value' | 'onChange'> & {
  value: string
  onChange: (event: ChangeEvent<HTMLTextAreaElement>) => void
  /** Told a text that was completed. */
  onComplete: (text: string) => void
  complete: Completer
}

type Open = { completion: Completion; active: number }

/**
 * A text area that offers what may stand where the caret is. An arrow goes to the first offer, Enter takes the one that
 * was gone to, Escape closes them; without an arrow all keys do what they always do. Ctrl and space asks for offers.
 */
export function CompletingArea({ complete, onComplete, onChange, ...props }: CompletingAreaProps) {
  const listId = useId()
  const place = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<Open | null>(null)
  const moveCaret = useCaret(place)
  const offer = (area: HTMLTextAreaElement) => {
    const completion = complete(area.value, area.selectionEnd)
    setOpen(completion === null ? null : { completion, active: -1 })
  }
  const take = (option: string) => {
    if (open === null) return
    const { text, caret } = withOption(props.value, open.completion, option)
    setOpen(null)
    moveCaret(caret)
    onComplete(text)
  }
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault()
      return offer(event.currentTarget)
    }
    const next = open === null ? null : pressed(event.key, open)
    if (next === null) return
    event.preventDefault()
    if (typeof next === 'string') take(next)
    else setOpen(next.open)
  }
  return (
    <div ref={place} className="relative min-w-0">
      <InputArea
        {...props}
        autoComplete="off"
        aria-autocomplete="list"
        {...(open !== null && { 'aria-controls': listId })}
        {...(open !== null && open.active >= 0 && { 'aria-activedescendant': `${listId}-${open.active}` })}
        onChange={(event) => {
          onChange(event)
          offer(event.target)
        }}
        onKeyDown={press}
        onBlur={() => setOpen(null)}
        onClick={() => setOpen(null)}
      />
      <output className="sr-only">
        {open !== null && `${countOf(open.completion.options.length, 'suggestion')}: arrow down to choose`}
      </output>
      {open !== null && <Offers id={listId} open={open} onTake={take} />}
    </div>
  )
}

type OffersProps = { id: string; open: Open; onTake: (option: string) => void }

function Offers({ id, open: { completion, active }, onTake }: OffersProps) {
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Suggestions"
      className="absolute inset-x-0 top-full z-20 mt-1 overflow-hidden rounded-lg bg-kumo-base py-1 shadow-lg ring ring-kumo-line"
    >
      {completion.options.map((option, n) => (
        <div
          key={option}
          id={`${id}-${n}`}
          role="option"
          tabIndex={-1}
          aria-selected={n === active}
          className={`cursor-pointer px-3 py-1 font-mono text-sm wrap-anywhere hover:bg-kumo-tint ${n === active ? 'bg-kumo-tint' : ''}`}
          // The text area keeps the focus, and with it the caret.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(option)}
          onKeyDown={undefined}
        >
          {option}
        </div>
      ))}
    </div>
  )
}

/** What a key does while offers are shown: it takes one, moves between them or closes them; null for what it always does. */
function pressed(key: string, { completion, active }: Open): string | { open: Open | null } | null {
  const count = completion.options.length
  switch (key) {
    case 'ArrowDown':
      return { open: { completion, active: (active + 1) % count } }
    case 'ArrowUp':
      return { open: { completion, active: (active <= 0 ? count : active) - 1 } }
    case 'Enter':
      return completion.options[active] ?? null
    case 'Escape':
      return { open: null }
    default:
      return null
  }
}

/** Puts the caret somewhere once the next text is shown; a text that is set moves it to its end. */
function useCaret(place: { current: HTMLDivElement | null }) {
  const [caret, setCaret] = useState<number | null>(null)
  useLayoutEffect(() => {
    if (caret === null) return
    place.current?.querySelector('textarea')?.setSelectionRange(caret, caret)
    setCaret(null)
  }, [caret, place])
  return setCaret
}
