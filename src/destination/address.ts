import { compileHeaders, renderHeader } from '../shape/header-templates.ts'
import { Budget } from '../shape/liquid/budget.ts'
import { reasonOf } from '../shape/liquid/engine.ts'
import { atOnceOrInTurns, type Renderer, viewOf } from '../shape/transform.ts'
import { compileUrl, renderUrl } from './url-template.ts'

/** Where an event goes and with which headers; `path` names the setting whose outputs fail on it. */
export type RenderedAddress =
  | { kind: 'rendered'; url: string; headers: Record<string, string> }
  | { kind: 'failed'; path: string; message: string }

/** Renders the outputs in a URL and headers for one event, within one budget. */
export type CompiledAddress = Renderer<RenderedAddress>

/** Compiles the URL and headers of a subscription; null where neither has outputs. */
export function compileAddress(
  url: string,
  headers: Readonly<Record<string, string>>,
): CompiledAddress | null {
  const urlParts = compileUrl(url)
  const templates = compileHeaders(headers)
  if (urlParts === null && templates.size === 0) return null
  return atOnceOrInTurns<RenderedAddress>(function* (input, shared) {
    const view = viewOf(input)
    if (view === null) return { kind: 'failed', path: 'url', message: 'needs the JSON text of an event' }
    const rendering = { view, budget: new Budget(input.text.length, shared) }
    let path = 'url'
    try {
      const rendered = {
        url: urlParts === null ? url : yield* renderUrl(urlParts, rendering),
        headers: { ...headers },
      }
      for (const [name, parts] of templates) {
        path = `headers.${name}`
        rendered.headers[name] = yield* renderHeader(parts, rendering)
      }
      return { kind: 'rendered', ...rendered }
    } catch (error) {
      return { kind: 'failed', path, message: reasonOf(error) }
    }
  })
}
