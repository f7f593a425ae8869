import type { Claim } from '../verify/claim.ts'
import { type Keys, matchSignature } from '../verify/keys.ts'

/** Bytes that one diagnosis hashes at most, and signatures that it tries: a few hundred milliseconds. */
const BYTES_MAX = 16_000_000
const TRIALS_MAX = 1_200

/** The keys that one trial is made with: texts that the scheme reads, or a key as it is. */
export type TrialKeys = { secrets: readonly string[]; publicKeys: readonly Uint8Array[] } | Uint8Array

/** Tries keys on claims until what one diagnosis may use up is spent; from then on nothing matches. */
export class SignatureSearch {
  #bytesLeft = BYTES_MAX
  #trialsLeft = TRIALS_MAX

  /** True where trials were left out. */
  get isSpent(): boolean {
    return this.#trialsLeft <= 0 || this.#bytesLeft <= 0
  }

  /** True where half of it is spent: what comes next needs some too. */
  get isHalfSpent(): boolean {
    return this.#trialsLeft <= TRIALS_MAX / 2 || this.#bytesLeft <= BYTES_MAX / 2
  }

  /** Counts a body that was made to be tried, which costs about what trying it does. */
  made(bytes: number): void {
    this.#bytesLeft -= bytes
    this.#trialsLeft -= 1
  }

  /** True where one of the keys has made one of the claim's signatures. */
  async matches(claim: Claim, trial: TrialKeys): Promise<boolean> {
    const { keys, ...own } = keysOf(claim, trial)
    const signatures = claim.hmac.length * keys.secrets.length + claim.ed25519.length * keys.publicKeys.length
    this.#bytesLeft -= claim.content.length * signatures
    this.#trialsLeft -= signatures
    if (this.isSpent || signatures === 0) return false
    return (await matchSignature({ ...claim, ...own }, keys)).ok
  }
}

function keysOf(claim: Claim, trial: TrialKeys): { keys: Keys; keyBytes: Claim['keyBytes'] } {
  if (trial instanceof Uint8Array)
    return { keys: { ok: true, secrets: [''], publicKeys: [] }, keyBytes: () => trial }
  return { keys: { ok: true, ...trial }, keyBytes: claim.keyBytes }
}
