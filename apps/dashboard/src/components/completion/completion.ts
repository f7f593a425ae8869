/** What may stand in a stretch of a text instead of what stands there. */
export type Completion = { from: number; to: number; options: readonly string[] }

/** Finds what may be completed where the caret is; null for nothing. */
export type Completer = (text: string, caret: number) => Completion | null

const OPTIONS_MAX = 8
const PATH_BEFORE = /[A-Za-z_][\w.-]*$/
const PATTERN_BEFORE = /[\w.*-]+$/

/** Completes event types and patterns, in whatever place of a list of them. */
export function typeCompleter(types: readonly string[]): Completer {
  const patterns = ['*', ...new Set(types.flatMap(prefixesOf)), ...types]
  return (text, caret) => completed(patterns, { text, caret, word: PATTERN_BEFORE })
}

/** Completes paths of an event in expressions, and in filters as JSON. */
export function pathCompleter(paths: readonly string[]): Completer {
  return (text, caret) => completed(paths, { text, caret, word: PATH_BEFORE })
}

/** Completes paths of an event within outputs and tags of a template, and nowhere else. */
export function templateCompleter(paths: readonly string[]): Completer {
  const complete = pathCompleter(paths)
  return (text, caret) => (isInOutput(text.slice(0, caret)) ? complete(text, caret) : null)
}

/** A text with an option in its place, and where the caret is then. */
export function withOption(
  text: string,
  { from, to }: Completion,
  option: string,
): { text: string; caret: number } {
  return { text: `${text.slice(0, from)}${option}${text.slice(to)}`, caret: from + option.length }
}

type Place = { text: string; caret: number; word: RegExp }

/** Those that begin as the word does come first, then those that have it within. */
function completed(options: readonly string[], { text, caret, word }: Place): Completion | null {
  const typed = word.exec(text.slice(0, caret))?.[0] ?? ''
  if (typed === '') return null
  const sought = typed.toLowerCase()
  const rest = options.filter((option) => option !== typed)
  const begins = rest.filter((option) => option.toLowerCase().startsWith(sought))
  const holds = rest.filter((option) => option.toLowerCase().indexOf(sought) > 0)
  const found = [...begins, ...holds].slice(0, OPTIONS_MAX)
  return found.length === 0 ? null : { from: caret - typed.length, to: caret, options: found }
}

/** `a.b.c` as `a.*` and `a.b.*`. */
function prefixesOf(type: string): string[] {
  const names = type.split('.')
  return names.slice(1).map((_, n) => `${names.slice(0, n + 1).join('.')}.*`)
}

function isInOutput(before: string): boolean {
  const opened = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%'))
  const closed = Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'))
  return opened > closed
}
