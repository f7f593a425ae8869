import { type Context, type FilterHandler, filters as liquidFilters } from 'liquidjs/dist/liquid.browser.mjs'
import { rawJsonText } from '../../../base/json/raw-number.ts'
import type { Budget } from '../budget.ts'
import { budgetOf } from '../scope.ts'
import { formatDate } from './dates.ts'
import { LIST_FILTERS } from './list-filters.ts'
import { NUMBER_FILTERS } from './number-filters.ts'
import { CUT_FILTERS, LIGHT_FILTERS, PATTERN_FILTERS, slice } from './part-filters.ts'
import { ESCAPE_FILTERS, elementsAsText, withText } from './text-filters.ts'

/**
 * liquidjs' filters that are bounded once their arguments are weighed. Left out are those that
 * evaluate expressions from data (`where_exp`), are random (`sample`) or asynchronous (`sha256`).
 */
const WEIGHED: readonly string[] = 'concat push pop shift unshift reverse'.split(' ')

/** Such filters of texts: lists and objects in their input and arguments count as their JSON. */
const TEXTS: readonly string[] = [
  'append prepend downcase upcase strip lstrip rstrip strip_newlines squish normalize_whitespace',
  'number_of_words newline_to_br strip_html slugify base64_encode base64_decode',
].flatMap((names) => names.split(' '))
/** Filters of texts whose input may be a list, of which they print the elements or give some. */
const TEXTS_OF_LISTS: readonly string[] = ['join', 'array_to_sentence_string']

/** Filters whose first argument names a member of a list's elements. */
const BY_PROPERTY: readonly string[] = 'find find_index has map reject where'.split(' ')
/** Filters that look for their first argument in a text. */
const SEARCHES: readonly string[] = 'remove remove_first remove_last replace_first replace_last'.split(' ')
const SORTS: readonly string[] = ['sort', 'sort_natural']

/**
 * liquidjs parses such a name as an expression; names with other characters could smuggle in
 * unbounded ranges.
 */
const PROPERTY = /^[\w-]+(?:\.[\w-]+)*$/
/** The work of one character of a format. */
const DATE_WORK = 40
/** The work of making a formatter for a named time zone, by far the slowest step. */
const ZONE_WORK = 5000
const DEFAULT_DATE_FORMAT = '%Y-%m-%d %H:%M:%S UTC'
/** The work of each character of a text that becomes an element of a list. */
const SPLIT_WORK = 8

/** All filters of a template, by name. Their price is counted in the render's `Budget`. */
export const templateFilters: Readonly<Record<string, FilterHandler>> = {
  ...filtersOf(WEIGHED, weighed),
  ...mapped(NUMBER_FILTERS, weighed),
  ...LIGHT_FILTERS,
  ...mapped(LIST_FILTERS, (handler) => weighed(named(handler))),
  ...filtersOf(BY_PROPERTY, (handler) => weighed(named(handler))),
  ...filtersOf(SORTS, (handler) => sorting(named(handler))),
  ...filtersOf(SEARCHES, (handler) => withText(searching(handler))),
  ...filtersOf(TEXTS, (handler) => withText(weighed(handler))),
  ...filtersOf(TEXTS_OF_LISTS, (handler) => elementsAsText(weighed(handler))),
  ...mapped(CUT_FILTERS, (handler) => withText(weighed(handler))),
  slice: withText(weighed(slice), { keepsLists: true }),
  ...mapped(PATTERN_FILTERS, (handler) => withText(searching(handler))),
  ...mapped(ESCAPE_FILTERS, (handler) => withText(weighed(handler))),
  json: jsonText,
  jsonify: jsonText,
  date(input, format, zone) {
    return dateText(budgetOf(this.context), input, format, zone)
  },
  date_to_xmlschema(input) {
    return dateText(budgetOf(this.context), input, '%Y-%m-%dT%H:%M:%S%:z')
  },
  date_to_rfc822(input) {
    return dateText(budgetOf(this.context), input, '%a, %d %b %Y %H:%M:%S %z')
  },
  date_to_string(input) {
    return dateText(budgetOf(this.context), input, '%d %b %Y')
  },
  date_to_long_string(input) {
    return dateText(budgetOf(this.context), input, '%d %B %Y')
  },
}

/**
 * The filters that format dates: a literal "now" before one of them is refused when a template is
 * saved.
 */
export const DATE_FILTERS: ReadonlySet<string> = new Set(
  Object.keys(templateFilters).filter((name) => name.startsWith('date')),
)

function filtersOf(
  names: readonly string[],
  wrap: (handler: FilterHandler) => FilterHandler,
): Record<string, FilterHandler> {
  return Object.fromEntries(
    names.map((name) => {
      const handler = liquidFilters[name]
      if (handler === undefined) throw new Error(`liquidjs has no filter "${name}"`)
      return [name, wrap(handler)]
    }),
  )
}

function mapped(
  handlers: Readonly<Record<string, FilterHandler>>,
  wrap: (handler: FilterHandler) => FilterHandler,
): Record<string, FilterHandler> {
  return Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, wrap(handler)]))
}

/** Pays beforehand for printing, joining and comparing the arguments, nested lists included. */
function weighed(handler: FilterHandler): FilterHandler {
  return function (input, ...args) {
    const budget = budgetOf(this.context)
    budget.weigh(input)
    for (const arg of args) budget.weigh(arg)
    return handler.call(this, input, ...args)
  }
}

function sorting(handler: FilterHandler): FilterHandler {
  return function (input, ...args) {
    const budget = budgetOf(this.context)
    const rounds = Array.isArray(input) ? Math.ceil(Math.log2(input.length + 1)) : 1
    budget.use(budget.weigh(input) * rounds)
    return handler.call(this, input, ...args)
  }
}

function named(handler: FilterHandler): FilterHandler {
  return function (input, property, ...args) {
    if (property === undefined || property === null) return handler.call(this, input)
    if (typeof property !== 'string' || !PROPERTY.test(property)) {
      throw new Error('the member a filter goes by must be a name such as "price" or "product.name"')
    }
    return handler.call(this, input, property, ...args)
  }
}

function searching(handler: FilterHandler): FilterHandler {
  return function (input, ...args) {
    const budget = budgetOf(this.context)
    budget.search(input, args[0])
    budget.use(SPLIT_WORK * budget.weigh(input))
    budget.weigh(args)
    return handler.call(this, input, ...args)
  }
}

/** Prints without liquidjs' indentation, which makes a deeply nested value a thousand times longer. */
function jsonText(this: { context: Context }, input: unknown): string {
  budgetOf(this.context).weigh(input)
  return rawJsonText(input)
}

/** Passes on a value that is not a date as it is, as Liquid does. */
function dateText(budget: Budget, input: unknown, format: unknown, zone?: unknown): unknown {
  if (format === '') return input
  const text = typeof format === 'string' ? format : DEFAULT_DATE_FORMAT
  budget.use(DATE_WORK * text.length + (zone === undefined ? 0 : ZONE_WORK))
  return formatDate(input, text, zone) ?? input
}
