export type ReadMetadata = { ok: true; metadata: Record<string, string> } | { ok: false; problem: string }

/** Reads `name=value` lines. None at all is refused: such a link would show the whole workspace. */
export function readMetadata(text: string): ReadMetadata {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0)
    return { ok: false, problem: 'Name the customer: without it, a link shows everything.' }
  const metadata: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf('=')
    if (at < 1) return { ok: false, problem: `Write name=value, and not "${line.trim()}".` }
    metadata[line.slice(0, at).trim()] = line.slice(at + 1).trim()
  }
  return { ok: true, metadata }
}
