import type { Scene } from './scene.ts'

/** Tries one thing that a seed says; answers what was seen, and rejects where it is not so. */
export type Check = ((scene: Scene) => Promise<string>) & { needs?: Tool; isAlone?: boolean }

/** A program that runs a seed's own code, beside Node. */
export type Tool = 'php' | 'python3' | 'flask'

/** One thing that a seed says. */
export type Row = {
  /** Its number in the seed, or several as `2-51`. */
  row: string
  says: string
  kind: 'works' | 'differs' | 'cannot'
  /** Null where there is nothing to try. */
  check: Check | null
}

/** A seed and its rows. */
export type Seed = { name: string; about: string; rows: readonly Row[] }

/** Works as it is said; `line` is the row's number and what it says. */
export function works(line: string, check: Check): Row {
  return { ...numbered(line), kind: 'works', check }
}

/** Works, but otherwise than said: docs/seeds.md has the sentence. */
export function differs(line: string, check: Check): Row {
  return { ...numbered(line), kind: 'differs', check }
}

/** Cannot be had from a relay: docs/seeds.md says why. */
export function cannot(line: string): Row {
  return { ...numbered(line), kind: 'cannot', check: null }
}

/** A check that runs a program beside Node. */
export function needing(needs: Tool, check: Check): Check {
  return Object.assign((scene: Scene) => check(scene), { needs })
}

/** A check of speed, which runs while nothing else does. */
export function alone(check: Check): Check {
  return Object.assign((scene: Scene) => check(scene), { isAlone: true })
}

function numbered(line: string): { row: string; says: string } {
  const at = line.indexOf(' ')
  return { row: line.slice(0, at), says: line.slice(at + 1) }
}
