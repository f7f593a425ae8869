import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'

export const ACCOUNT = 'a'.repeat(32)

type Fault = { status: number; code: number; message: string }
type Worker = { secrets: Record<string, string>; metadata: Metadata }
type Metadata = {
  bindings: ({ name: string; type: string } & Record<string, unknown>)[]
  migrations?: { new_tag?: string; steps?: object[] }
}

/** The part of Cloudflare's API that a deploy needs, ours and wrangler's, over what one account holds. */
export class StubCloudflare {
  readonly databases = new Map<string, { uuid: string; db: DatabaseSync }>()
  readonly buckets = new Set<string>()
  readonly queues = new Set<string>()
  readonly consumers = new Map<string, object>()
  readonly workers = new Map<string, Worker>()
  /** Each call that changes something, in order. */
  readonly writes: string[] = []
  /** Calls that no deploy is known to make. */
  readonly unknown: string[] = []
  /** The answer to all calls, where there is one. */
  refusal: Fault | null = null
  /** Called before a change is made, and after it. */
  onWrite: (count: number, moment: 'before' | 'after') => void = () => undefined
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<StubCloudflare> {
    const server = createServer((request, response) => {
      void stub.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
      })
    })
    const stub = new StubCloudflare(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return stub
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The variables by which a deploy reaches it. */
  get shell(): Record<string, string> {
    return {
      CLOUDFLARE_API_BASE_URL: this.url,
      CLOUDFLARE_API_TOKEN: 'token_of_the_stub',
      WRANGLER_LOG: 'log',
    }
  }

  createDatabase(name: string): string {
    const uuid = randomUUID()
    this.databases.set(name, { uuid, db: new DatabaseSync(':memory:') })
    return uuid
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    for (const { db } of this.databases.values()) db.close()
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    const method = request.method ?? 'GET'
    const sent = await text(request)
    const path = pathname.replace(`/accounts/${ACCOUNT}`, '')
    const isWrite = method !== 'GET' && !path.endsWith('/query')
    const count = this.writes.length + 1
    if (isWrite) this.onWrite(count, 'before')
    try {
      if (this.refusal !== null) throw this.refusal
      const type = request.headers['content-type'] ?? ''
      const result = await this.#result(`${method} ${path}`, { searchParams, sent, type })
      if (isWrite) {
        this.writes.push(`${method} ${path}${nameIn(sent)}`)
        this.onWrite(count, 'after')
      }
      const info = { page: 1, per_page: 100, count: 0, total_count: 0, total_pages: 1 }
      return { status: 200, body: { success: true, errors: [], messages: [], result, result_info: info } }
    } catch (error) {
      const { status = 400, code = 0, message } = error as Partial<Fault>
      return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } }
    }
  }

  async #result(
    call: string,
    asked: { searchParams: URLSearchParams; sent: string; type: string },
  ): Promise<unknown> {
    const { searchParams, sent } = asked
    const body = () => JSON.parse(sent) as Record<string, string>
    const part = (pattern: RegExp) => decodeURIComponent(pattern.exec(call)?.[1] ?? '')
    switch (true) {
      case call === 'GET /accounts':
        return [{ id: ACCOUNT, name: 'The only one' }]
      case call === 'GET /memberships':
        return [{ id: '1', account: { id: ACCOUNT, name: 'The only one' } }]
      case call === 'GET /d1/database': {
        const all = [...this.databases].map(([name, { uuid }]) => ({ name, uuid, version: 'production' }))
        return all.filter(({ name }) => name.startsWith(searchParams.get('name') ?? ''))
      }
      case call === 'POST /d1/database': {
        const { name = '' } = body()
        if (this.databases.has(name)) throw fault(400, 7502, `database ${name} exists`)
        return { uuid: this.createDatabase(name), name }
      }
      case /^GET \/d1\/database\/[^/]+$/.test(call):
        return this.#databaseInfo(part(/database\/(.*)$/))
      case /^POST \/d1\/database\/[^/]+\/query$/.test(call):
        return this.#query(part(/database\/(.*)\/query/), body())
      case /^GET \/r2\/buckets\//.test(call): {
        const name = part(/buckets\/(.*)$/)
        if (!this.buckets.has(name)) throw fault(404, 10006, 'The specified bucket does not exist.')
        return { name }
      }
      case call === 'POST /r2/buckets': {
        const { name = '' } = body()
        if (this.buckets.has(name)) throw fault(409, 10004, 'The bucket exists, and you own it.')
        this.buckets.add(name)
        return { name }
      }
      case call === 'GET /queues': {
        const all = [...this.queues].map((name) => ({
          queue_name: name,
          queue_id: idOf(name),
          consumers: [],
          producers: [],
        }))
        return all.filter(({ queue_name: name }) => (searchParams.get('name') ?? name) === name)
      }
      case call === 'POST /queues': {
        const { queue_name: name = '' } = body()
        if (this.queues.has(name)) throw fault(409, 11009, `Queue name '${name}' is already taken.`)
        this.queues.add(name)
        return { queue_name: name, queue_id: idOf(name) }
      }
      case /^(POST|PUT) \/queues\/[^/]+\/consumers/.test(call): {
        this.consumers.set(part(/queues\/([^/]+)/), body())
        return { ...body(), consumer_id: '1' }
      }
      case /\/workers\/(scripts|services|workers)\//.test(call):
        return await this.#worker(call, asked)
      case call === 'GET /workers/subdomain':
        return { subdomain: 'example' }
      default:
        this.unknown.push(call)
        throw fault(404, 7003, `The stub has no ${call}`)
    }
  }

  #databaseInfo(id: string) {
    const [name] = this.#databaseBy(id)
    return { name, uuid: id, version: 'production' }
  }

  #query(id: string, { sql = '' }: Record<string, string>) {
    const [, { db }] = this.#databaseBy(id)
    // One statement gives rows; several do not.
    const isRead = /^\s*(SELECT|PRAGMA)/i.test(sql)
    const results = isRead ? db.prepare(sql).all() : []
    if (!isRead) db.exec(sql)
    return [{ results, success: true, meta: { duration: 1, changes: 0, rows_read: 0, rows_written: 0 } }]
  }

  #databaseBy(id: string) {
    const found = [...this.databases].find(([name, { uuid }]) => uuid === id || name === id)
    if (found === undefined) throw fault(404, 7404, `The database ${id} could not be found`)
    return found
  }

  async #worker(call: string, { sent, type }: { sent: string; type: string }): Promise<unknown> {
    const name = /\/workers\/(?:scripts|services|workers)\/([^/?]+)/.exec(call)?.[1] ?? ''
    const worker = this.workers.get(name)
    if (/^(PUT \/workers\/scripts\/[^/]+|POST \/workers\/scripts\/[^/]+\/versions)$/.test(call))
      return await this.#upload(name, sent, type)
    if (call.endsWith('/assets-upload-session')) return { jwt: 'all.are.there', buckets: [] }
    if (worker === undefined) throw fault(404, 10007, 'This Worker does not exist on your account.')
    if (call.endsWith('/secrets'))
      return Object.keys(worker.secrets).map((each) => ({ name: each, type: 'secret_text' }))
    if (call.endsWith('/settings')) return { bindings: worker.metadata.bindings, tags: [] }
    if (call.endsWith('/schedules')) return { schedules: JSON.parse(sent || '[]') as unknown }
    if (call.endsWith('/subdomain')) return { enabled: true, previews_enabled: false }
    if (call.endsWith('/deployments')) return { deployments: [] }
    if (call.includes('/workers/workers/')) return { subdomain: { enabled: true, previews_enabled: false } }
    if (/^GET \/workers\/services\/[^/]+$/.test(call)) return this.#service(worker)
    this.unknown.push(call)
    throw fault(404, 7003, `The stub has no ${call}`)
  }

  #service({ metadata: { migrations } }: Worker) {
    const script = { etag: '1', tag: '1', migration_tag: migrations?.new_tag, last_deployed_from: 'wrangler' }
    return { default_environment: { environment: 'production', script } }
  }

  async #upload(name: string, sent: string, type: string): Promise<unknown> {
    const form = await new Response(sent, { headers: { 'Content-Type': type } }).formData()
    const metadata = JSON.parse(String(form.get('metadata'))) as Metadata
    const before = this.workers.get(name)?.secrets ?? {}
    const given = metadata.bindings.filter((binding) => binding.type === 'secret_text')
    const inherited = metadata.bindings.filter((binding) => binding.type === 'inherit')
    for (const { name: secret } of inherited)
      if (!(secret in before)) throw fault(400, 10056, `inherit binding '${secret}' is invalid`)
    const secrets = {
      ...before,
      ...Object.fromEntries(given.map((each) => [each.name, String(each['text'])])),
    }
    // A version without new classes stays at the tag of the one before.
    const migrations = metadata.migrations ?? this.workers.get(name)?.metadata.migrations ?? {}
    this.workers.set(name, { secrets, metadata: { ...metadata, migrations } })
    return {
      id: name,
      tag: '1',
      pipeline_hash: '1',
      mutable_pipeline_id: null,
      deployment_id: '1',
      startup_time_ms: 20,
    }
  }
}

function fault(status: number, code: number, message: string): Fault {
  return { status, code, message }
}

function idOf(name: string): string {
  return createHash('md5').update(name).digest('hex')
}

/** The name in a short body, for those who read what was changed. */
function nameIn(sent: string): string {
  if (!sent.startsWith('{') || sent.length > 1000) return ''
  const { name, queue_name: queue } = JSON.parse(sent) as Record<string, unknown>
  return typeof (name ?? queue) === 'string' ? ` ${String(name ?? queue)}` : ''
}
