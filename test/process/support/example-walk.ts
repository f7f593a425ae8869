import { setTimeout as sleep } from 'node:timers/promises'

type Parameter = { name: string; in: string; example?: unknown }
type Content = Record<string, { example?: unknown }>
type Operation = {
  operationId: string
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}
/** The API document, as far as it has examples. */
export type ApiDocument = { paths: Record<string, Record<string, Operation>> }

/** A request of the document, with what it is answered there. */
export type ExampleCall = {
  operationId: string
  method: string
  path: string
  parameters: Parameter[]
  body: unknown
  answers: Record<string, unknown>
}

/** An answer may take so long to become the one that is shown: deliveries go on after a publish was answered. */
const PATIENCE_MS = 20_000
const ID = /^(webhook|evt|log|attempt|key|replay|portal|dispatch|batch)_[0-9a-z_]+$/
/** Members that say in which state a thing is, and so have to be as shown. */
const STATES = new Set(['status', 'state', 'matched', 'active', 'matches', 'verified', 'verdict', 'decision'])

/** Every call of the document, by its name. */
export function callsOf({ paths }: ApiDocument): Map<string, ExampleCall> {
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => callOf(path, method, operation)),
  )
  return new Map(calls.map((call) => [call.operationId, call]))
}

function callOf(path: string, method: string, operation: Operation): ExampleCall {
  const { operationId, parameters = [], requestBody, responses } = operation
  const shown = Object.entries(responses).flatMap(([status, { content }]) => {
    const example = content?.['application/json']?.example
    return example === undefined ? [] : [[status, example] as const]
  })
  return {
    ...{ operationId, method: method.toUpperCase(), path },
    parameters: parameters.flatMap((each) => ('name' in each && each.example !== undefined ? [each] : [])),
    body: requestBody?.content['application/json']?.example,
    answers: Object.fromEntries(shown),
  }
}

/** The relay that is asked, and the hosts that stand for others. */
export type WalkTarget = {
  relayUrl: string
  adminKey: string
  workspace: string
  /** Addresses of the document, each with the one that it stands for. */
  hosts: ReadonlyMap<string, string>
}

export type Answered = { status: number; value: unknown }

/** Makes the requests of a document one after the other, with the ids that the answers before have named. */
export class ExampleWalk {
  readonly #target: WalkTarget
  /** The document's ids, each with the real one. */
  readonly #ids = new Map<string, string>()

  constructor(target: WalkTarget) {
    this.#target = target
  }

  /** Makes one request until it is answered as is shown; what is different in the last answer otherwise. */
  async make(call: ExampleCall): Promise<Answered & { differences: string[] }> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const answered = await this.#send(call)
      const [status = ''] = Object.keys(call.answers)
      const shown = call.answers[status]
      const differences =
        answered.status >= 300 || (status !== '' && status !== String(answered.status))
          ? [`answered ${answered.status}: ${JSON.stringify(answered.value)}`]
          : differencesOf(shown, answered.value, '')
      this.#learn(shown, answered.value)
      // A read may be repeated, and so may what was refused.
      const isOver = answered.status < 300 && (call.method !== 'GET' || status === '')
      if (differences.length === 0 || isOver || Date.now() > deadline) return { ...answered, differences }
      await sleep(200)
    }
  }

  /** A text of the document with the real ids and addresses. */
  toReal(text: string): string {
    return replaceAll(text, [...this.#ids, ...this.#target.hosts])
  }

  /** A text of the relay with the document's addresses. */
  toShown(text: string): string {
    return replaceAll(
      text,
      [...this.#target.hosts].map(([shown, real]) => [real, shown]),
    )
  }

  async #send({ method, path, parameters, body }: ExampleCall): Promise<Answered> {
    const { relayUrl, adminKey, workspace } = this.#target
    const query = new URLSearchParams()
    let filled = path
    for (const { name, in: place, example } of parameters) {
      const value = this.toReal(String(example))
      if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value))
      if (place === 'query') query.set(name, value)
    }
    const response = await fetch(`${relayUrl}${filled}${query.size > 0 ? `?${query}` : ''}`, {
      method,
      headers: {
        Authorization: `Bearer ${adminKey}`,
        'X-Company-Id': workspace,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: this.toReal(JSON.stringify(body)) }),
    })
    return { status: response.status, value: await response.json() }
  }

  #learn(shown: unknown, real: unknown, name = ''): void {
    if (typeof shown === 'string' && typeof real === 'string') {
      if (name === 'id' || ID.test(shown)) this.#ids.set(shown, real)
      return
    }
    if (typeof shown !== 'object' || shown === null || typeof real !== 'object' || real === null) return
    for (const [name, value] of Object.entries(shown)) {
      this.#learn(value, (real as Record<string, unknown>)[name], name)
    }
  }
}

/** Longer ones first: an id may begin as another one does. */
function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  const sorted = pairs.toSorted(([one], [other]) => other.length - one.length)
  return sorted.reduce((all, [from, to]) => all.replaceAll(from, to), text)
}

/** The places where an answer has other members, types or states than is shown. Null may stand for any value. */
export function differencesOf(shown: unknown, real: unknown, at: string): string[] {
  if (shown === null || real === null || shown === undefined) return []
  if (Array.isArray(shown)) {
    if (!Array.isArray(real)) return [`${at} is no list`]
    if ((shown.length === 0) !== (real.length === 0)) return [`${at} has ${real.length} entries`]
    return real.flatMap((each, n) => differencesOf(shown[Math.min(n, shown.length - 1)], each, `${at}[${n}]`))
  }
  if (typeof shown !== typeof real) return [`${at} is ${JSON.stringify(real)}`]
  if (typeof shown !== 'object') {
    const isState = STATES.has(at.split('.').at(-1) ?? '')
    return isState && shown !== real ? [`${at} is ${JSON.stringify(real)}, not ${JSON.stringify(shown)}`] : []
  }
  const names = new Set([...Object.keys(shown), ...Object.keys(real as object)])
  return [...names].flatMap((name) => {
    if (!(name in shown)) return [`${at}.${name} is not shown`]
    if (!(name in (real as object))) return [`${at}.${name} is missing`]
    const of = (value: unknown) => (value as Record<string, unknown>)[name]
    return differencesOf(of(shown), of(real), `${at}.${name}`)
  })
}
