import { type Template, type Token, TypeGuards, type Value } from 'liquidjs/dist/liquid.browser.mjs'
import { RawNumber } from '../../base/json/raw-number.ts'
import { PATH_NAMES_MAX } from '../../model/event-view.ts'
import { TAG_DEPTH_MAX } from './budget.ts'
import { readsClock } from './filters/dates.ts'
import { DATE_FILTERS } from './filters/filters.ts'
import { boundRange } from './tags.ts'

/** A construct that Liquid takes and we refuse, and its place. */
type RefusedConstruct = { message: string; token: Token }

/** Walks a parsed template once: yields its problems, and on the way bounds its ranges and keeps its digits. */
export function* problemsOf(templates: Iterable<Template>, depth = 0): Generator<RefusedConstruct> {
  for (const template of templates) {
    if (depth > TAG_DEPTH_MAX) {
      yield { message: `must nest tags at most ${TAG_DEPTH_MAX} deep`, token: template.token }
      return
    }
    for (const argument of template.arguments?.() ?? []) {
      // A parameter without a value, such as `reversed`, is yielded as undefined.
      if (argument === undefined) continue
      if (isToken(argument)) yield* problemsOfToken(argument)
      else yield* problemsOfValue(argument, template.token)
    }
    yield* problemsOf(childrenOf(template), depth + 1)
  }
}

function* problemsOfValue(value: Value, at: Token): Generator<RefusedConstruct> {
  const [literal] = value.initial.postfix
  const [filter] = value.filters
  if (filter !== undefined && DATE_FILTERS.has(filter.name) && TypeGuards.isQuotedToken(literal)) {
    if (readsClock(literal.content)) {
      const message = `must not read the clock ("${literal.content}"), as a retry has to send the same text: use event.timestamp`
      yield { message, token: at }
    }
  }
  if (value.filters.some(({ name, args }) => name === 'date' && TypeGuards.isNumberToken(args[1]))) {
    const message = 'must name a time zone ("Asia/Kuala_Lumpur") or an offset ("+05:30") for date, no number'
    yield { message, token: at }
  }
  for (const token of value.initial.postfix) yield* problemsOfToken(token)
  for (const { args } of value.filters) {
    for (const arg of args) yield* problemsOfToken(Array.isArray(arg) ? arg[1] : arg)
  }
}

function* problemsOfToken(token: Token | undefined): Generator<RefusedConstruct> {
  if (TypeGuards.isNumberToken(token)) {
    // 7.0 calculates as a fraction and prints as it was written.
    if (String(token.content) !== token.getText()) token.content = new RawNumber(token.getText())
  } else if (TypeGuards.isRangeToken(token)) {
    yield* problemsOfToken(token.lhs)
    yield* problemsOfToken(token.rhs)
    boundRange(token)
  } else if (TypeGuards.isPropertyAccessToken(token)) {
    if (token.props.length > PATH_NAMES_MAX) {
      yield { message: `must have paths of at most ${PATH_NAMES_MAX} names`, token }
    }
    yield* problemsOfToken(token.variable)
    for (const prop of token.props) yield* problemsOfToken(prop)
  }
}

/** The templates inside one, which liquidjs offers as a generator that returns them at once. */
export function childrenOf(template: Template): Iterable<Template> {
  const generator = template.children?.(false, true) as Iterator<unknown, Iterable<Template>> | undefined
  return (generator?.next().value as Iterable<Template> | undefined) ?? []
}

function isToken(argument: Token | Value): argument is Token {
  return 'kind' in argument
}
