import { Drop, type FilterHandler, filters as liquidFilters } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber, rawJsonText } from '../../../base/json/raw-number.ts'
import type { Budget } from '../budget.ts'
import { budgetOf } from '../scope.ts'

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

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** An `&` that does not begin an entity, and the other characters that HTML escapes. */
const UNESCAPED = /[<>"']|&(?!(?:[a-zA-Z]+|#\d+);)/g
/** Characters that XML 1.0 cannot hold, escaped or not; a document with one is not read at all. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/**
 * The filters that escape. Half of a surrogate pair, which JSON can hold and UTF-8 cannot, becomes
 * U+FFFD in URLs, as in every body that is sent; liquidjs' own filters throw "URI malformed".
 */
export const ESCAPE_FILTERS: Readonly<Record<string, FilterHandler>> = {
  escape: (input) => escapeHtml(printed(input)),
  escape_once: (input) => printed(input).replace(UNESCAPED, (char) => ESCAPES[char] ?? char),
  xml_escape: (input) => escapeHtml(printed(input).replace(NOT_XML, '\ufffd')),
  url_encode: (input) => encodeFormValue(input),
  cgi_escape: (input) => encodeFormValue(input),
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
  base64_url_safe_encode(input) {
    return printed(liquidFilters['base64_encode']?.call(this, input))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
  },
  base64_url_safe_decode(input) {
    const standard = printed(input).replaceAll('-', '+').replaceAll('_', '/')
    try {
      return liquidFilters['base64_decode']?.call(this, standard)
    } catch {
      throw new Error('base64_url_safe_decode must get base64, with "-" and "_" for "+" and "/"')
    }
  },
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char)
}

/** Percent-encodes everything but letters, digits and `-._~`; a blank becomes `+`. */
function encodeFormValue(value: unknown): string {
  return encodeURIComponent(wellFormed(value))
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function wellFormed(value: unknown): string {
  return printed(value).toWellFormed()
}

/** Prints a value other than a list or an object; a Drop is one of Liquid's own words, such as `nil`. */
export function printed(value: unknown): string {
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
