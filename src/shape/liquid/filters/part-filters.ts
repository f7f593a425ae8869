import { Drop, type FilterHandler } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber } from '../../../base/json/raw-number.ts'
import { isRecord } from '../../../base/json/value.ts'
import { budgetOf } from '../scope.ts'
import { countCharacters, sliceCharacters } from './characters.ts'
import { wholeNumber } from './number-filters.ts'
import { printed } from './text-filters.ts'

/** Length to which `truncate` cuts, when it is left out. */
const TRUNCATE_LENGTH = 50
/** Words to which `truncatewords` cuts, when they are left out. */
const TRUNCATE_WORDS = 15
const ELLIPSIS = '...'

/** A part of a text or of a list: one character or element, where no length is given. */
export const slice: FilterHandler = (input, offset, length) => {
  const start = wholeNumber(offset, 0)
  const count = wholeNumber(length, 1)
  if (Array.isArray(input)) return sliceList(input, start, count)
  const text = printed(input)
  const from = start < 0 ? countCharacters(text) + start : start
  return from < 0 || count < 0 ? '' : sliceCharacters(text, from, count)
}

/** Filters that cut texts by characters or words. */
export const CUT_FILTERS: Readonly<Record<string, FilterHandler>> = {
  truncate(input, length, ellipsis = ELLIPSIS) {
    const most = wholeNumber(length, TRUNCATE_LENGTH)
    const text = printed(input)
    if (text.length <= most || countCharacters(text) <= most) return text
    const end = printed(ellipsis)
    return sliceCharacters(text, 0, Math.max(0, most - countCharacters(end))) + end
  },
  truncatewords(input, count, ellipsis = ELLIPSIS) {
    const most = Math.max(1, wholeNumber(count, TRUNCATE_WORDS))
    const text = printed(input)
    const words: string[] = []
    for (const [word] of text.matchAll(/\S+/g)) {
      if (words.length === most) return words.join(' ') + printed(ellipsis)
      words.push(word)
    }
    return text
  },
  capitalize(input) {
    const [first = ''] = printed(input)
    return first.toUpperCase() + printed(input).slice(first.length).toLowerCase()
  },
}

/** Filters that cut a text at a pattern; an empty one stands between all characters. */
export const PATTERN_FILTERS: Readonly<Record<string, FilterHandler>> = {
  /** As in Ruby, a single blank stands for any white space, and empty parts at the end are left out. */
  split(input, separator) {
    const text = printed(input)
    const pattern = printed(separator)
    if (pattern === ' ') return text.match(/\S+/g) ?? []
    const parts = pattern === '' ? Array.from(text) : text.split(pattern)
    while (parts.at(-1) === '') parts.pop()
    return parts
  },
  replace(input, pattern, replacement) {
    const text = printed(input)
    const sought = printed(pattern)
    const parts = sought === '' ? ['', ...Array.from(text), ''] : text.split(sought)
    const inserted = printed(replacement)
    budgetOf(this.context).use(text.length + parts.length * inserted.length)
    return parts.join(inserted)
  },
}

/** Filters that look at the outside of their input only, which is not weighed. */
export const LIGHT_FILTERS: Readonly<Record<string, FilterHandler>> = {
  size(input) {
    const value = plain(input)
    if (Array.isArray(value)) return value.length
    if (typeof value === 'string') {
      budgetOf(this.context).use(value.length)
      return countCharacters(value)
    }
    return isObject(value) ? Object.keys(value).length : 0
  },
  first(input) {
    if (Array.isArray(input)) return input[0]
    return typeof input === 'string' ? sliceCharacters(input, 0, 1) : ''
  },
  last(input) {
    if (Array.isArray(input)) return input.at(-1)
    if (typeof input !== 'string') return ''
    const end = input.slice(-2)
    return countCharacters(end) === 1 ? end : end.slice(-1)
  },
  /** Stands in for nil, false and what is empty: a text, a list, an object. */
  default(input, otherwise = '', ...options) {
    const value = plain(input)
    const allowsFalse = options.some(
      (option) => Array.isArray(option) && option[0] === 'allow_false' && option[1] === true,
    )
    if (value === undefined || value === null || value === '') return otherwise
    if (value === false) return allowsFalse ? value : otherwise
    if (Array.isArray(value)) return value.length === 0 ? otherwise : value
    return isObject(value) && Object.keys(value).length === 0 ? otherwise : value
  },
}

function sliceList(list: readonly unknown[], start: number, count: number): unknown[] {
  const from = start < 0 ? list.length + start : start
  return from < 0 || count < 0 ? [] : list.slice(from, from + count)
}

function plain(value: unknown): unknown {
  return value instanceof Drop ? value.valueOf() : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof RawNumber)
}
