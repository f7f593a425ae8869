import { RelayError } from '../../model/errors.ts'

/** A mounted route: its path has `:name` parameters. */
type MountedRoute = { method: string; path: string }

/** The calls that an application answers, for requests that are none of them. */
export class KnownCalls {
  readonly #calls: readonly { method: string; path: RegExp }[]

  constructor(routes: readonly MountedRoute[]) {
    this.#calls = routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => ({ method, path: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`) }))
  }

  /** The refusal of a request that is no call: 405 where the path has others, which `Allow` names. */
  refuse(method: string, path: string): RelayError {
    const methods = this.#calls.flatMap((call) => (call.path.test(path) ? [call.method] : []))
    const listed = 'GET /openapi.json lists them.'
    if (methods.length === 0) {
      return new RelayError('not_found', `There is no call ${method} ${path.slice(0, 200)}; ${listed}`)
    }
    const allow = [...new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)].sort()
    const message = `There is no ${method} of ${path.slice(0, 200)}, only ${allow.join(', ')}; ${listed}`
    return new RelayError('method_not_allowed', message, { allow })
  }
}
