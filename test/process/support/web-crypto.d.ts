import type { webcrypto } from 'node:crypto'

declare global {
  /** Node has the value without the type, which src/signature needs here as it does on Workers. */
  interface CryptoKey extends webcrypto.CryptoKey {}
}
