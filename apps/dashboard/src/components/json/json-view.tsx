import { Button } from '@cloudflare/kumo/components/button'
import { CheckIcon, CopyIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { indentJson } from './indent-json.ts'

const COPIED_MS = 1_500

/** A text as it was sent; as JSON with its lines indented on demand, and no number changed. */
export function JsonView({ text, label }: { text: string; label: string }) {
  const pretty = indentJson(text)
  const [isPretty, setIsPretty] = useState(pretty !== null)
  const shown = isPretty && pretty !== null ? pretty : text
  return (
    <figure className="min-w-0">
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-kumo-hairline bg-kumo-elevated px-3 py-1.5">
        <figcaption className="text-sm text-kumo-subtle">{label}</figcaption>
        <div className="flex flex-wrap items-center gap-1">
          {pretty !== null && (
            <Button size="sm" variant="ghost" aria-pressed={isPretty} onClick={() => setIsPretty(!isPretty)}>
              {isPretty ? 'As sent' : 'Indented'}
            </Button>
          )}
          <CopyButton text={shown} label={`Copy ${label.toLowerCase()}`} />
        </div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard. */}
      <pre tabIndex={0} className="max-h-[32rem] overflow-auto p-3 text-sm whitespace-pre-wrap wrap-anywhere">
        <code>{shown}</code>
      </pre>
    </figure>
  )
}

/** Copies a text, and says so; without a clipboard, that it is to be copied by hand. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setIsCopied] = useState(false)
  const [isRefused, setIsRefused] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      setIsRefused(true)
      return
    }
    setIsRefused(false)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), COPIED_MS)
  }
  return (
    <>
      <Button
        size="sm"
        variant="ghost"
        shape="square"
        icon={isCopied ? <CheckIcon /> : <CopyIcon />}
        aria-label={isCopied ? 'Copied' : label}
        title={label}
        onClick={() => void copy()}
      />
      {isRefused && (
        <span role="alert" className="text-sm">
          Not copied: select the text and copy it by hand.
        </span>
      )}
    </>
  )
}
