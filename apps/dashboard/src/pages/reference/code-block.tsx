import { CopyButton } from '../../components/json/json-view.tsx'

/** Something to be typed into a shell. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <figure className="min-w-0">
      <div className="flex items-center justify-between gap-2 border-b border-kumo-hairline bg-kumo-elevated px-3 py-1.5">
        <figcaption className="text-sm text-kumo-subtle">{label}</figcaption>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard. */}
      <pre tabIndex={0} className="max-h-96 overflow-auto p-3 text-sm whitespace-pre-wrap wrap-anywhere">
        <code>{text}</code>
      </pre>
    </figure>
  )
}
