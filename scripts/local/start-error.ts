/** A reason not to start that is the user's to change; its message needs no stack. */
export class RelayStartError extends Error {
  override readonly name = 'RelayStartError'
}
