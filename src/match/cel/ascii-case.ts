import { stepsOfScan } from '../step-budget.ts'

const BEYOND_ASCII = /[\u0080-\uffff]/
/** Most arguments of one call: more could overflow the stack. */
const CODES_PER_CALL = 8192
/** The difference between a letter's codes. */
const CASE = 32

/** Makes the letters A to Z lower case, as CEL's `lowerAscii`, and leaves all others as they are. */
export function lowerAscii(text: string): string {
  return BEYOND_ASCII.test(text) ? shifted(text, 65, CASE) : text.toLowerCase()
}

/** Makes the letters a to z upper case. */
export function upperAscii(text: string): string {
  return BEYOND_ASCII.test(text) ? shifted(text, 97, -CASE) : text.toUpperCase()
}

/** The steps of either. They cannot depend on where the first other character stands. */
export function stepsOfCase(text: string): number {
  return 4 * stepsOfScan(text.length)
}

/** Shifts the codes of the 26 letters from `first` on. */
function shifted(text: string, first: number, by: number): string {
  const codes = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    codes[at] = code >= first && code < first + 26 ? code + by : code
  }
  let result = ''
  for (let at = 0; at < codes.length; at += CODES_PER_CALL) {
    result += String.fromCharCode(...codes.subarray(at, at + CODES_PER_CALL))
  }
  return result
}
