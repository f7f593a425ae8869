/**
 * Texts counted and cut by code points, as Liquid does: a character beyond U+FFFF, such as most
 * emoji, is one, and is never cut in halves.
 */

const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/

/** How many characters a text has. */
export function countCharacters(text: string): number {
  if (!ASTRAL.test(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** The characters of a text from `start` on, at most `count`. */
export function sliceCharacters(text: string, start: number, count: number): string {
  if (!ASTRAL.test(text)) return text.slice(start, start + count)
  const begin = offsetOf(text, start, 0)
  return text.slice(begin, offsetOf(text, count, begin))
}

/** Where the character stands that is `count` behind the one at `from`; the text's end if there is none. */
function offsetOf(text: string, count: number, from: number): number {
  let offset = from
  for (let passed = 0; passed < count && offset < text.length; passed++) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  }
  return offset
}
