import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { withinMs } from '../base/concurrency/wait.ts'
import { isRecord, parseJsonOrNull } from '../base/json/value.ts'
import { readCapped } from '../base/read-capped.ts'

export type KeySetDeps = {
  /** The address of the identity provider's key set. */
  url: string
  fetch: typeof fetch
  now: () => number
  userAgent: string
}

type GetKey = JWTVerifyGetKey

/** No key is known yet, and the identity provider did not give any. */
export class KeySetUnavailable extends Error {}

/** Time that the identity provider has for headers and body. */
const ANSWER_MS_MAX = 3_000
const ANSWER_BYTES_MAX = 131_072
const KEYS_MAX = 100
/** A key set this old is asked for again, in the background. */
const FRESH_MS = 10 * 60_000
/** Tokens with made-up key ids do not make the relay ask more often than this. */
const PAUSE_MS = 30_000

/**
 * The public keys of the identity provider. They are asked for when a token names a key that is not known, and now and
 * then; keys that are known go on working while the provider does not answer, or answers nonsense.
 */
export class KeySet {
  readonly #deps: KeySetDeps
  #keys: GetKey | null = null
  #loadedAtMs = 0
  #askedAtMs: number | null = null
  #asking: Promise<void> | null = null

  constructor(deps: KeySetDeps) {
    this.#deps = deps
  }

  /** Finds the key that a token's header names; rejects where there is none. `background` keeps a refresh alive. */
  getKey(background: (work: Promise<unknown>) => void): GetKey {
    return async (header, token) => {
      if (this.#keys !== null) {
        if (this.#isStale()) this.#refreshLater(background)
        try {
          return await this.#keys(header, token)
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        }
      }
      await this.#refresh(background)
      if (this.#keys === null) throw new KeySetUnavailable()
      return await this.#keys(header, token)
    }
  }

  #isStale(): boolean {
    return this.#deps.now() - this.#loadedAtMs > FRESH_MS
  }

  #refreshLater(background: (work: Promise<unknown>) => void): void {
    // It never rejects, and is kept alive where it begins.
    void this.#ask(background)
  }

  async #refresh(background: (work: Promise<unknown>) => void): Promise<void> {
    const asking = this.#ask(background)
    // The request that asks may have been cancelled by the platform, and would never end.
    if (asking !== null) await withinMs(ANSWER_MS_MAX + 500, asking, () => undefined)
  }

  /** Asks unless that was done a moment ago; null then. */
  #ask(background: (work: Promise<unknown>) => void): Promise<void> | null {
    const nowMs = this.#deps.now()
    const sinceMs = nowMs - (this.#askedAtMs ?? Number.NEGATIVE_INFINITY)
    if (sinceMs >= 0 && sinceMs < PAUSE_MS) return this.#asking
    this.#askedAtMs = nowMs
    const asking = this.#load().finally(() => {
      if (this.#asking === asking) this.#asking = null
    })
    this.#asking = asking
    background(asking)
    return asking
  }

  /** Never rejects: without an answer the keys stay as they are. */
  async #load(): Promise<void> {
    const keys = await fetchKeys(this.#deps)
    if (keys === null) return
    this.#keys = createLocalJWKSet({ keys })
    this.#loadedAtMs = this.#deps.now()
  }
}

type PublicKey = Parameters<typeof createLocalJWKSet>[0]['keys'][number]

async function fetchKeys({ url, fetch, userAgent }: KeySetDeps): Promise<PublicKey[] | null> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), ANSWER_MS_MAX)
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json', 'User-Agent': userAgent },
      redirect: 'manual',
      signal: abort.signal,
    })
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel()
      return null
    }
    const { text, isWhole } = await readCapped(response.body, { bytesMax: ANSWER_BYTES_MAX })
    return isWhole ? readKeys(text) : null
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** The public keys of a set that can sign; null for a text that is no key set, or one without any such key. */
function readKeys(text: string): PublicKey[] | null {
  const set = parseJsonOrNull(text)
  if (!isRecord(set) || !Array.isArray(set['keys'])) return null
  const keys = set['keys'].filter(isPublicKey).slice(0, KEYS_MAX)
  return keys.length === 0 ? null : keys
}

/** A symmetric key in a public place proves nothing. */
function isPublicKey(key: unknown): key is PublicKey {
  return isRecord(key) && typeof key['kty'] === 'string' && ['RSA', 'EC', 'OKP'].includes(key['kty'])
}
