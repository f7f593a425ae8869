/**
 * Declares the part of liquidjs' browser build that Posthorn uses. The package's own declarations
 * are of its Node build and would bring Node's globals into the Worker's types.
 */
declare module 'liquidjs/dist/liquid.browser.mjs' {
  /** A piece of a template's source. `kind` is one of `TokenKind`. */
  export interface Token {
    kind: number
    getText(): string
    getPosition(): [line: number, column: number]
  }
  export interface PropertyAccessToken extends Token {
    /** Set where the path begins with something other than a name, such as `(1..3).size`. */
    variable?: Token
    props: Token[]
  }
  export interface RangeToken extends Token {
    lhs: Token
    rhs: Token
  }
  export interface LeafToken extends Token {
    content: unknown
  }
  export interface FilterToken {
    name: string
    args: (Token | [name: string, value: Token | undefined])[]
  }
  export interface Expression {
    postfix: Token[]
  }
  export interface Value {
    initial: Expression
    filters: FilterToken[]
    value(context: Context): unknown
  }
  export interface Template {
    token: Token
    render(context: Context, emitter: Emitter): unknown
    arguments?(): Iterable<Token | Value | undefined>
    /** A generator that returns the templates inside this one. */
    children?(partials: boolean, sync: boolean): unknown
  }
  export interface Emitter {
    buffer: string
    write(value: unknown): void
  }
  export interface Limiter {
    use(count: number): void
    check(time: number): void
  }
  export type FilterHandler = (this: { context: Context }, input: unknown, ...args: unknown[]) => unknown
  export type Operator = (left: unknown, right: unknown, context: Context) => unknown
  export interface Options {
    fs?: object
    relativeReference?: boolean
    dynamicPartials?: boolean
    strictFilters?: boolean
    ownPropertyOnly?: boolean
    locale?: string
    parseLimit?: number
    operators?: Record<string, Operator>
  }
  export class Context {
    scopes: Record<string, unknown>[]
    memoryLimit: Limiter
    constructor(
      environment: object,
      options: Options,
      renderOptions: { sync: boolean },
      inner: { memoryLimit: Limiter; renderLimit: Limiter; liquid: Liquid },
    )
    bottom(): Record<string, unknown>
    _get(path: unknown[]): unknown
    _getFromScope(scope: unknown, path: unknown): unknown
  }
  export class Tag implements Template {
    token: Token
    liquid: Liquid
    constructor(token: Token, remaining: Token[], liquid: Liquid, parser: object)
    render(context: Context, emitter: Emitter): unknown
  }
  export class ForTag extends Tag {
    collection: Token
    templates: Template[]
    override render(context: Context, emitter: Emitter): Generator<unknown, unknown, unknown>
  }
  export class CaseTag extends Tag {
    value: Value
    branches: { values: Token[] }[]
    override render(context: Context, emitter: Emitter): Generator<unknown, unknown, unknown>
  }
  export class CaptureTag extends Tag {
    variable: string
    templates: Template[]
  }
  export class Output implements Template {
    token: Token
    value: Value
    render(context: Context, emitter: Emitter): unknown
  }
  export class Drop {}
  export class Liquid {
    options: Options
    filters: Record<string, FilterHandler>
    tags: Record<string, typeof Tag>
    renderer: { renderTemplates(templates: Template[], context: Context, emitter?: Emitter): unknown }
    constructor(options: Options)
    parse(text: string): Template[]
  }
  export const filters: Record<string, FilterHandler>
  export const defaultOperators: Record<string, Operator>
  export const TokenKind: Record<'HTML' | 'Range' | 'PropertyAccess' | 'FilteredValue', number>
  export const TypeGuards: {
    isPropertyAccessToken(token: unknown): token is PropertyAccessToken
    isRangeToken(token: unknown): token is RangeToken
    isNumberToken(token: unknown): token is LeafToken
    isQuotedToken(token: unknown): token is LeafToken
    isWordToken(token: unknown): token is LeafToken
  }
  export function evalTokenValue(token: Token, context: Context): unknown
  export function toValue(value: unknown): unknown
}
