import { base64 } from '../bytes.ts'
import { fromBase64, SealingKey } from './sealing-key.ts'

/** The row that a sealed text belongs to. */
export type SealOwner = { workspaceId: string; id: string }

/**
 * Encrypts secrets at rest: AES-256-GCM with a fresh 96-bit nonce each time. Workspace, row and field are authenticated
 * with the text, so that a ciphertext opens only where it was sealed for.
 */
export type Vault = {
  seal: (plain: string, owner: SealOwner, field: string) => Promise<string>
  /** Opens what the current key has sealed, or the one before. */
  open: (sealed: string, owner: SealOwner, field: string) => Promise<string>
  /** False for a text that would be sealed otherwise today: under another key, or for its row only. */
  isCurrent: (sealed: string) => Promise<boolean>
  /** The ids of the key that seals and of the one before, which only opens; null where there is none. */
  keyIds: () => Promise<{ current: string; previous: string | null }>
  /** A name for a text, 32 hex digits; without the key the text cannot be found by it. */
  fingerprint: (text: string) => Promise<string>
  /** The name that the key before gave to a text; null where there is none. */
  previousFingerprint: (text: string) => Promise<string | null>
}

/** `v3.<key id>.<nonce>.<ciphertext>` */
const VERSION = 'v3'
/** Seals of these versions name no key, and of the first only the row's id. They are opened, and replaced in time. */
const OLD_VERSIONS = ['v1', 'v2']

type Parts = { version: string; keyId: string | null; nonce: string; data: string }

/** Builds a vault from the base64 of 32 random bytes each; throws when a key is not that. */
export function createVault(keyBase64: string, previousKeyBase64: string | null = null): Vault {
  const current = new SealingKey(keyBase64)
  const previous = previousKeyBase64 === null ? null : new SealingKey(previousKeyBase64)
  const keys = previous === null ? [current] : [current, previous]
  return {
    seal: async (plain, owner, field) => {
      const { nonce, data } = await current.encrypt(plain, placeOf(VERSION, owner, field))
      return [VERSION, await current.id(), base64(nonce), base64(data)].join('.')
    },
    open: async (sealed, owner, field) => {
      const parts = partsOf(sealed)
      return await openUnder(await keysFor(keys, parts), parts, placeOf(parts.version, owner, field))
    },
    isCurrent: async (sealed) => sealed.startsWith(`${VERSION}.${await current.id()}.`),
    keyIds: async () => ({ current: await current.id(), previous: (await previous?.id()) ?? null }),
    fingerprint: (text) => current.fingerprint(text),
    previousFingerprint: async (text) => (await previous?.fingerprint(text)) ?? null,
  }
}

function partsOf(sealed: string): Parts {
  const [version = '', ...rest] = sealed.split('.')
  const isOld = OLD_VERSIONS.includes(version)
  const [nonce, data, ...others] = isOld ? rest : rest.slice(1)
  const isKnown = (isOld || version === VERSION) && others.length === 0
  if (!isKnown || nonce === undefined || data === undefined) throw new Error('unknown sealed form')
  return { version, keyId: isOld ? null : (rest[0] ?? ''), nonce, data }
}

/** The keys that may have sealed a text: an old seal does not say which it was. */
async function keysFor(keys: readonly SealingKey[], { keyId }: Parts): Promise<readonly SealingKey[]> {
  if (keyId === null) return keys
  const ids = await Promise.all(keys.map((key) => key.id()))
  return keys.filter((_, n) => ids[n] === keyId)
}

async function openUnder(
  keys: readonly SealingKey[],
  { nonce, data }: Parts,
  place: string,
): Promise<string> {
  const sealed = { nonce: fromBase64(nonce), data: fromBase64(data) }
  let failure: unknown = new Error('sealed under a key that is not given')
  for (const key of keys) {
    try {
      return await key.decrypt(sealed, place)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function placeOf(version: string, { workspaceId, id }: SealOwner, field: string): string {
  return version === 'v1' ? id : JSON.stringify([workspaceId, id, field])
}
