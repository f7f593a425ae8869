import { CaptureTag, Output, type Template, TokenKind, TypeGuards } from 'liquidjs/dist/liquid.browser.mjs'
import { childrenOf } from './check.ts'
import { NUMBER_FILTERS } from './filters/number-filters.ts'

/** An output of a JSON text written by hand that some values would break; `source` is as written. */
export type RiskyOutput = { source: string; place: 'inside a text' | 'outside of texts'; position: string }

/** Members of the envelope that hold no character which would need escaping in JSON. */
const SAFE_PATHS: ReadonlySet<string> = new Set(
  'event id timestamp livemode api_version event.id event.type event.event event.timestamp event.livemode event.api_version'.split(
    ' ',
  ),
)
const NUMBERS: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBER_FILTERS),
  'size',
  'sum',
  'number_of_words',
])
/** Filters whose result is JSON by itself. */
const JSON_FILTERS: ReadonlySet<string> = new Set([
  ...NUMBERS,
  ...'json jsonify has map where reject split sort sort_natural uniq compact concat group_by reverse'.split(
    ' ',
  ),
  ...'push pop shift unshift'.split(' '),
])
/** Filters whose result may stand between the quotes of a JSON text. */
const TEXT_FILTERS: ReadonlySet<string> = new Set([
  ...NUMBERS,
  ...'has url_encode cgi_escape slugify base64_encode base64_url_safe_encode date_to_xmlschema'.split(' '),
])

/**
 * Finds the outputs of a hand-written JSON text that do not end in `| json` and need it: between
 * quotes a quote or a line break ends the text, and elsewhere nothing, or a text, leaves no JSON.
 */
export function riskyOutputs(templates: Iterable<Template>): RiskyOutput[] {
  const scan = new JsonScan()
  visit(templates, scan)
  return scan.found
}

function visit(templates: Iterable<Template>, scan: JsonScan): void {
  for (const template of templates) {
    if (template instanceof CaptureTag) continue
    if (template instanceof Output) scan.output(template)
    else if (template.token.kind === TokenKind.HTML) scan.text(template.token.getText())
    else visit(childrenOf(template), scan)
  }
}

/** Follows the quotes of a JSON text; branches of a tag are taken as if they followed one another. */
class JsonScan {
  readonly found: RiskyOutput[] = []
  #isInText = false

  text(source: string): void {
    for (let at = 0; at < source.length; at++) {
      if (source[at] === '\\') at++
      else if (source[at] === '"') this.#isInText = !this.#isInText
    }
  }

  output(output: Output): void {
    const safe = this.#isInText ? TEXT_FILTERS : JSON_FILTERS
    const last = output.value.filters.at(-1)
    const isSafe = last === undefined ? this.#isInText && SAFE_PATHS.has(pathOf(output)) : safe.has(last.name)
    if (isSafe) return
    const [line, column] = output.token.getPosition()
    this.found.push({
      source: output.token.getText(),
      place: this.#isInText ? 'inside a text' : 'outside of texts',
      position: `line ${line}, column ${column}`,
    })
  }
}

/** The names of an output of one path, joined by dots; the empty text for any other. */
function pathOf({ value }: Output): string {
  const [token, ...others] = value.initial.postfix
  if (others.length > 0 || !TypeGuards.isPropertyAccessToken(token)) return ''
  const names = token.props.map((prop) => (TypeGuards.isWordToken(prop) ? prop.content : '?'))
  return names.join('.')
}
