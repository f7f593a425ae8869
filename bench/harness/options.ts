/** The command line of the bench. */
import { parseArgs } from 'node:util'

export const PARTS = ['posthorn', 'baseline', 'ceilings'] as const
export type Part = (typeof PARTS)[number]

export interface Options {
  readonly rounds: number
  readonly parts: ReadonlySet<Part>
  readonly quick: boolean
}

/** Thrown for a command line that cannot be run; its message is all the user needs to see. */
export class UsageError extends Error {}

export const USAGE = `npm run bench -- [--rounds N] [--only ${PARTS.join('|')}] [--quick]
  --rounds N   measured rounds, 1 to 20 (3)
  --only PART  measure this part only; may be repeated
  --quick      fewer events a run: shows that everything works, not how fast it is`

export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new UsageError(USAGE)
  const only = (values.only ?? PARTS).map((name) => PARTS.find((part) => part === name))
  const parts = new Set(only.filter((part) => part !== undefined))
  if (only.includes(undefined)) throw new UsageError(USAGE)
  return { rounds, parts, quick: values.quick }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '3' },
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean', default: false },
      },
    })
  } catch {
    throw new UsageError(USAGE)
  }
}
