/** The ends of a command, by name. docs/command-line.md has the same list for readers. */
export const EXIT_CODES = {
  /** The relay refused it, or it did not succeed. */
  failed: 1,
  /** It was called in a way that cannot be meant: an unknown option, a file that is not there, broken YAML. */
  usage: 2,
  /** No credentials, or some that do not allow it. */
  access: 3,
  not_found: 4,
  /** It contradicts what is there. */
  conflict: 5,
  /** The relay did not answer. */
  unreachable: 6,
  /** It was not said yes to. */
  unconfirmed: 7,
  /** A part of it was done. */
  partial: 8,
  /** With `apply --exit-code`: the workspace is not as the file says. */
  differs: 9,
  /** Ctrl-C. */
  interrupted: 130,
} as const

export type ExitName = keyof typeof EXIT_CODES
