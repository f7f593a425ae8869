import { Drop, type FilterHandler } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber, rawJsonText } from '../../base/json/raw-number.ts'
import type { Budget } from './budget.ts'
import { budgetOf } from './scope.ts'

/**
 * Gives a filter of texts the JSON of lists and objects, as `{{v}}` prints them; liquidjs itself
 * would give `[object Object]`. With `keepsLists` the input may stay a list.
 */
export function withText(handler: FilterHandler, { keepsLists = false } = {}): FilterHandler {
  return function (input, ...args) {
    const budget = budgetOf(this.context)
    const text = keepsLists && Array.isArray(input) ? input : asText(input, budget)
    return handler.call(this, text, ...args.map((arg) => asText(arg, budget)))
  }
}

/** Does the same for a filter that prints the elements of its input; null becomes the empty text. */
export function elementsAsText(handler: FilterHandler): FilterHandler {
  const ofTexts = withText(handler, { keepsLists: true })
  return function (input, ...args) {
    const budget = budgetOf(this.context)
    if (!Array.isArray(input)) return ofTexts.call(this, input, ...args)
    budget.use(input.length)
    const texts = input.map((element) => asText(element, budget) ?? '')
    return ofTexts.call(this, texts, ...args)
  }
}

/** Refuses to divide by zero: `Infinity` and `NaN` are not JSON, and no receiver could mean them. */
export function dividing(name: string, handler: FilterHandler): FilterHandler {
  return function (input, divisor, ...args) {
    if ((Number(divisor) || 0) === 0) {
      throw new Error(`${name} must not divide by zero: its argument is 0, missing or no number`)
    }
    return handler.call(this, input, divisor, ...args)
  }
}

/**
 * The filters of URLs. liquidjs' own throw "URI malformed" for half of a surrogate pair, which JSON
 * can hold and UTF-8 cannot; here it becomes U+FFFD, as in every body that is sent.
 */
export const OWN_TEXT_FILTERS: Readonly<Record<string, FilterHandler>> = {
  url_encode: (input) => encodeURIComponent(wellFormed(input)).replaceAll('%20', '+'),
  cgi_escape: (input) =>
    encodeURIComponent(wellFormed(input))
      .replaceAll('%20', '+')
      .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
  uri_escape: (input) => encodeURI(wellFormed(input)).replaceAll('%5B', '[').replaceAll('%5D', ']'),
  url_decode(input) {
    try {
      return decodeURIComponent(printed(input).replaceAll('+', ' '))
    } catch {
      throw new Error(
        'url_decode must get text in which every "%" begins an escape of UTF-8, such as "%C3%A9"',
      )
    }
  },
}

function wellFormed(value: unknown): string {
  return printed(value).toWellFormed()
}

/** Prints a value other than a list or an object; a Drop is one of Liquid's own words, such as `nil`. */
function printed(value: unknown): string {
  const plain: unknown = value instanceof Drop ? value.valueOf() : value
  return plain === undefined || plain === null ? '' : String(plain)
}

/** A list or an object as its JSON, which is paid for; anything else as it is. */
function asText(value: unknown, budget: Budget): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof RawNumber || value instanceof Drop) return value
  budget.weigh(value)
  const text = rawJsonText(value)
  budget.use(text.length)
  return text
}
