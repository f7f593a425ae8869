/** A stream that a command writes to. */
export type Output = {
  isTerminal: boolean
  /** The width of the terminal; endless where there is none. */
  columns: () => number
  hasColour: boolean
  /** Resolves once more can be written. What comes after the reader has gone is dropped. */
  write: (text: string) => Promise<void>
  /** True once the reader has gone, as `head` does. */
  isClosed: () => boolean
}

/** Questions to the person at the terminal. Each rejects with `Interrupted` where it is left by Ctrl-C. */
export type Ask = {
  confirm: (question: string) => Promise<boolean>
  text: (question: string, options: { initial?: string; example?: string }) => Promise<string>
  secret: (question: string) => Promise<string>
}

/** All that a command touches besides the relay and files. */
export type Shell = {
  env: Readonly<Record<string, string | undefined>>
  /** The results. */
  out: Output
  /** Progress, hints and failures. */
  err: Output
  /** Null where there is no person to answer. */
  ask: Ask | null
  /** Aborted with `Interrupted` by Ctrl-C. */
  signal: AbortSignal
  /** Leaves Ctrl-C to another program, which has the terminal until the work ends. */
  lendCtrlC: <T>(work: () => Promise<T>) => Promise<T>
  /** All of standard input; null where it is a terminal. */
  readStdin: () => Promise<Uint8Array> | null
  nowMs: () => number
}
