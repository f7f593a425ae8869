/** Keyset cursors: the number below which the next page begins, with the list it belongs to. */

/** Lists that have cursors; a cursor of one is refused by another. */
export type CursorKind = 'subscriptions' | 'events' | 'log' | 'event-deliveries'

const FORMAT = /^(\d{1,15})\.([a-z-]{1,24})$/

/** Renders the place where the next page begins. */
export function encodeCursor(kind: CursorKind, belowNo: number): string {
  return btoa(`${belowNo}.${kind}`).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Reads a cursor back; null when it is not one of this list. */
export function decodeCursor(kind: CursorKind, text: string): number | null {
  if (text.length > 64 || !/^[A-Za-z0-9_-]+$/.test(text)) return null
  let plain: string
  try {
    plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return null
  }
  const match = FORMAT.exec(plain)
  if (match === null || match[2] !== kind) return null
  const number = Number(match[1])
  return encodeCursor(kind, number) === text ? number : null
}
