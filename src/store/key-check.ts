import type { SealOwner, Vault } from '../base/secret/vault.ts'
import { readKeyMarks, replaceKeyCheck, saveKeyCheck } from './key-check.sql.ts'

/** The check value is of no workspace: no id of one is empty. */
const PLACE: SealOwner = { workspaceId: '', id: 'key-check' }
const FIELD = 'check'
const TEXT = 'posthorn'

export const WRONG_KEY_MESSAGE =
  'KEY_ENCRYPTION_KEY is not the key that the secrets in this database were sealed with: set that one again, as KEY_ENCRYPTION_KEY_PREVIOUS where you are changing keys. If it is lost, "Changing a secret" in docs/operations.md says how to go on under another one.'

/** Tells whether the relay's keys are those of its database: once per isolate, and until they are. */
export class KeyCheck {
  readonly #db: D1Database
  readonly #vault: Vault
  #isProven = false

  constructor(db: D1Database, vault: Vault) {
    this.#db = db
    this.#vault = vault
  }

  /**
   * False where what is stored was sealed under another key. A database that does not answer, or is not migrated, proves
   * nothing: the call itself will meet that and say so.
   */
  async check(): Promise<boolean> {
    if (this.#isProven) return true
    try {
      this.#isProven = await this.#prove()
    } catch {
      return true
    }
    return this.#isProven
  }

  async #prove(): Promise<boolean> {
    const { check, secret } = await readKeyMarks(this.#db)
    if (check !== null) return await this.#opens(check, PLACE, FIELD)
    if (secret !== null && !(await this.#opens(secret.sealed, secret, 'secret'))) return false
    // One of two keys has opened the secret, and the check value must not stand for the other: the rotation writes it.
    if ((await this.#vault.keyIds()).previous !== null) return true
    await saveKeyCheck(this.#db, await this.#vault.seal(TEXT, PLACE, FIELD))
    return true
  }

  async #opens(sealed: string, owner: SealOwner, field: string): Promise<boolean> {
    try {
      await this.#vault.open(sealed, owner, field)
      return true
    } catch {
      return false
    }
  }
}

/** Has the database be known by the current key alone, once nothing in it needs the key before. */
export async function renewKeyCheck(db: D1Database, vault: Vault): Promise<void> {
  await replaceKeyCheck(db, await vault.seal(TEXT, PLACE, FIELD))
}
