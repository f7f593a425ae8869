/** A text of the document, in which backticks enclose code. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, n) =>
    n % 2 === 0 ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text stay where they are.
      <code key={n} className="rounded bg-kumo-recessed px-1 py-0.5 text-[0.9em] wrap-anywhere">
        {part}
      </code>
    ),
  )
}
