import { stepsOfScan, stepsOfText } from './step-budget.ts'

/** Up to this length the engine's search is linear: its shift tables cover 250 characters. */
const NEEDLE_CHARS_NATIVE = 250
/** Below this product even the engine's worst case is about a millisecond. */
const PRODUCT_NATIVE = 1_000_000

/**
 * Searches in linear time. `includes` is quadratic for long needles: 100,000 characters in a
 * million take it 24 s, and both may come from an event.
 */
export function containsText(text: string, needle: string): boolean {
  if (isNative(text, needle)) return text.includes(needle)
  return needle.length <= text.length && search(text, needle)
}

/** The steps that `containsText` takes. */
export function stepsOfSearch(text: string, needle: string): number {
  if (!isNative(text, needle)) return 2 * stepsOfScan(text.length + needle.length)
  return stepsOfText(text.length + needle.length)
}

function isNative(text: string, needle: string): boolean {
  return needle.length <= NEEDLE_CHARS_NATIVE || needle.length * text.length <= PRODUCT_NATIVE
}

/** Searches by Knuth, Morris and Pratt's algorithm. */
function search(text: string, needle: string): boolean {
  const borders = bordersOf(needle)
  let matched = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    while (matched > 0 && needle.charCodeAt(matched) !== code) matched = borders[matched - 1] ?? 0
    if (needle.charCodeAt(matched) === code) matched++
    if (matched === needle.length) return true
  }
  return false
}

/** Finds, for each prefix of the needle, the length of its longest proper border. */
function bordersOf(needle: string): Uint32Array {
  const borders = new Uint32Array(needle.length)
  let length = 0
  for (let at = 1; at < needle.length; at++) {
    const code = needle.charCodeAt(at)
    while (length > 0 && needle.charCodeAt(length) !== code) length = borders[length - 1] ?? 0
    if (needle.charCodeAt(length) === code) length++
    borders[at] = length
  }
  return borders
}
