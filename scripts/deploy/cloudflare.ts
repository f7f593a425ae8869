import { DeployError } from './deploy-error.ts'

const BASE_URL = 'https://api.cloudflare.com/client/v4'
const TIMEOUT_MS = 30_000
const QUEUES_PER_PAGE = 100
/** The API's codes for what is not there. */
const NO_BUCKET = 10006
const NO_WORKER = 10007
/** The API's code for credentials that are none at all, such as half a token. */
const MALFORMED_CREDENTIALS = 6003

/** The API's address, and the headers with the caller's credentials. */
export type ApiAccess = { baseUrl: string; headers: Readonly<Record<string, string>> }

type Fault = { code: number; message: string }
type Envelope = {
  success: boolean
  result: unknown
  errors?: Fault[]
  result_info?: { total_pages?: number }
}
type Answer = { envelope: Envelope; codes: number[] }
/** A POST where it has a body. `expected` is the code of a refusal that is an answer as well. */
type Asked = { path: string; body?: object; expected?: number }

/** The API's address; wrangler obeys the same variable. */
export function baseUrlOf(env: Record<string, string | undefined>): string {
  return env['CLOUDFLARE_API_BASE_URL'] || BASE_URL
}

/** The accounts that the credentials may act in. */
export async function listAccounts(access: ApiAccess): Promise<{ id: string; name: string }[]> {
  const { envelope } = await call(access, { path: '/accounts?per_page=50' })
  return envelope.result as { id: string; name: string }[]
}

/** The few calls of Cloudflare's API that a deploy makes itself: the rest is wrangler's. */
export class CloudflareAccount {
  readonly #access: ApiAccess
  readonly #path: string

  constructor(access: ApiAccess, accountId: string) {
    this.#access = access
    this.#path = `/accounts/${accountId}`
  }

  async databaseId(name: string): Promise<string | null> {
    const { envelope } = await this.#call({ path: `/d1/database?name=${encodeURIComponent(name)}` })
    const databases = envelope.result as { uuid: string; name: string }[]
    return databases.find((database) => database.name === name)?.uuid ?? null
  }

  async createDatabase(name: string): Promise<string> {
    const { envelope } = await this.#call({ path: '/d1/database', body: { name } })
    return (envelope.result as { uuid: string }).uuid
  }

  /** The rows that a statement reads. */
  async query(databaseId: string, sql: string): Promise<Record<string, unknown>[]> {
    const { envelope } = await this.#call({ path: `/d1/database/${databaseId}/query`, body: { sql } })
    const [first] = envelope.result as { results: Record<string, unknown>[] }[]
    return first?.results ?? []
  }

  async hasBucket(name: string): Promise<boolean> {
    const path = `/r2/buckets/${encodeURIComponent(name)}`
    const { codes } = await this.#call({ path, expected: NO_BUCKET })
    return !codes.includes(NO_BUCKET)
  }

  async createBucket(name: string): Promise<void> {
    await this.#call({ path: '/r2/buckets', body: { name } })
  }

  /** The names of all queues of the account. */
  async queues(): Promise<Set<string>> {
    const names = new Set<string>()
    for (let page = 1, pages = 1; page <= pages; page++) {
      const { envelope } = await this.#call({ path: `/queues?page=${page}&per_page=${QUEUES_PER_PAGE}` })
      for (const { queue_name: name } of envelope.result as { queue_name: string }[]) names.add(name)
      pages = envelope.result_info?.total_pages ?? 1
    }
    return names
  }

  async createQueue(name: string): Promise<void> {
    await this.#call({ path: '/queues', body: { queue_name: name } })
  }

  /** The names of a Worker's secrets; null where there is no such Worker. */
  async secrets(worker: string): Promise<Set<string> | null> {
    const path = `/workers/scripts/${encodeURIComponent(worker)}/secrets`
    const { envelope, codes } = await this.#call({ path, expected: NO_WORKER })
    if (codes.includes(NO_WORKER)) return null
    return new Set((envelope.result as { name: string }[]).map(({ name }) => name))
  }

  #call(asked: Asked): Promise<Answer> {
    return call(this.#access, { ...asked, path: this.#path + asked.path })
  }
}

async function call({ baseUrl, headers }: ApiAccess, { path, body, expected }: Asked): Promise<Answer> {
  const method = body === undefined ? 'GET' : 'POST'
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(baseUrl + path, {
    ...{ method, ...sent },
    headers: { ...headers, 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new DeployError(
      `Cloudflare's API does not answer: ${reasonOf(error)}. Run it again: it goes on from there.`,
    )
  })
  const envelope = (await response.json().catch(() => null)) as Envelope | null
  const faults = envelope?.errors ?? []
  const codes = faults.map(({ code }) => code)
  const isExpected = expected !== undefined && codes.includes(expected)
  if (envelope !== null && (envelope.success || isExpected)) return { envelope, codes }
  throw new DeployError(describeRefusal(`${method} ${path}`, response.status, faults))
}

function describeRefusal(asked: string, status: number, faults: readonly Fault[]): string {
  const said = faults.map(({ code, message }) => `${message} (${code})`).join('; ') || 'nothing more'
  return `Cloudflare answered ${status} to ${asked}: ${said}.${adviceFor(status, faults)}`
}

function adviceFor(status: number, faults: readonly Fault[]): string {
  const isMalformed = faults.some(({ code }) => code === MALFORMED_CREDENTIALS)
  if (isMalformed || status === 401 || status === 403) return `\n${TOKEN_ADVICE}`
  if (status === 429) return '\nThose were too many calls: wait five minutes, then run it again.'
  return status >= 500 ? '\nRun it again: it goes on from there.' : ''
}

const TOKEN_ADVICE =
  'Log in with `npx wrangler login`, or give CLOUDFLARE_API_TOKEN a token that may edit Workers Scripts, D1, Queues and Workers R2 Storage. R2 and Queues have to be enabled once in the dashboard.'

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
