import * as z from 'zod'

/** What else is kept of an attempt, beside its status and its text. */
export type AttemptDetail = {
  /** The version of the subscription that it was made under. */
  version: number
  /** Until the head of the answer; null where none came. */
  firstByteMs: number | null
  /** The status that came, also where it stands for a fault and is not shown as the receiver's. */
  status: number | null
  /** Headers of the answer, as many as are kept. */
  headers: readonly (readonly [name: string, value: string])[]
}

const storedSchema = z.tuple([z.int(), z.number().nullable(), z.int().nullable()], z.string())

/** Writes a detail as its column holds it: a flat list, as every delivery has one. */
export function writeAttemptDetail({ version, firstByteMs, status, headers }: AttemptDetail): string {
  return JSON.stringify([version, firstByteMs, status, ...headers.flat()])
}

/** Reads a stored detail; null for none, and for one of another version. */
export function readAttemptDetail(text: string | null): AttemptDetail | null {
  const parsed = text === null ? null : storedSchema.safeParse(parseOrNull(text))
  if (parsed === null || !parsed.success) return null
  const [version, firstByteMs, status, ...flat] = parsed.data
  const headers = Array.from({ length: Math.floor(flat.length / 2) }, (_, at): [string, string] => [
    flat[2 * at] ?? '',
    flat[2 * at + 1] ?? '',
  ])
  return { version, firstByteMs, status, headers }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
