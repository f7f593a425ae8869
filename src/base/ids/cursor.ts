import { base64Url, base64UrlBytes } from '../bytes.ts'
/** Keyset cursors: the number below which the next page begins, with the list it belongs to. */

/** Lists that have cursors; a cursor of one is refused by another. */
export type CursorKind =
  | 'subscriptions'
  | 'events'
  | 'log'
  | 'event-deliveries'
  | 'replays'
  | 'archives'
  | 'workspaces'
  | 'keys'
  | 'audit'
  | 'audit-verify'

const encoder = new TextEncoder()
const FORMAT = /^(\d{1,15})\.([a-z-]{1,24})$/

/** Renders the place where the next page begins. */
export function encodeCursor(kind: CursorKind, belowNo: number): string {
  return base64Url(encoder.encode(`${belowNo}.${kind}`))
}

/** Reads a cursor back; null when it is not one of this list. */
export function decodeCursor(kind: CursorKind, text: string): number | null {
  const match = FORMAT.exec(plainText(text, 64))
  if (match === null || match[2] !== kind) return null
  const number = Number(match[1])
  return encodeCursor(kind, number) === text ? number : null
}

/** Lists that are ordered by two numbers. */
type PairCursorKind =
  | 'deliveries'
  | 'subscriptions-created'
  | 'subscriptions-failures'
  | 'subscriptions-rate'
  | 'subscriptions-deliveries'

const PAIR_FORMAT = /^(\d{1,15})-(\d{1,15})\.([a-z-]{1,24})$/

/** Renders the place where the next page begins. */
export function encodePairCursor(kind: PairCursorKind, [first, second]: readonly [number, number]): string {
  return base64Url(encoder.encode(`${first}-${second}.${kind}`))
}

/** Reads such a cursor back; null when it is not one of this list. */
export function decodePairCursor(kind: PairCursorKind, text: string): [number, number] | null {
  const match = PAIR_FORMAT.exec(plainText(text, 80))
  if (match === null || match[3] !== kind) return null
  const numbers: [number, number] = [Number(match[1]), Number(match[2])]
  return encodePairCursor(kind, numbers) === text ? numbers : null
}

/** Lists that are ordered by name. */
type NameCursorKind = 'event-types'

/** Renders the name after which the next page begins; names are of `A-Z a-z 0-9 _ - .`. */
export function encodeNameCursor(kind: NameCursorKind, afterName: string): string {
  return base64Url(encoder.encode(`${kind}:${afterName}`))
}

/** Reads a name cursor back; null when it is not one of this list. */
export function decodeNameCursor(kind: NameCursorKind, text: string): string | null {
  const name = plainText(text, 256).slice(kind.length + 1)
  const isOurs = /^[A-Za-z0-9_.-]{1,128}$/.test(name) && encodeNameCursor(kind, name) === text
  return isOurs ? name : null
}

/** The text a cursor was rendered from; empty for one that is too long or no base64. */
function plainText(cursor: string, lengthMax: number): string {
  const bytes = cursor.length > lengthMax ? null : base64UrlBytes(cursor)
  return bytes === null ? '' : new TextDecoder().decode(bytes)
}
