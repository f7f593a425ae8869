import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** What a proof found: figures for people, and the guarantees that did not hold. */
export type ProofResult = { figures: Record<string, string | number>; violations: string[] }

/** What a proof is given. Everything by chance comes from `random`, so that a seed tells a run again. */
export type ProofContext = {
  random: () => number
  /** One line about how far it is. */
  progress: (line: string) => void
  /** A new folder of its own; gone when the proof ends. */
  stateDir: string
}

/** Runs a proof in a folder of its own, and removes it. */
export async function inFolder(
  options: { seed: number; progress: (line: string) => void },
  run: (context: ProofContext) => Promise<ProofResult>,
): Promise<ProofResult> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-proof-'))
  try {
    return await run({ random: seeded(options.seed), progress: options.progress, stateDir })
  } finally {
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `min` to `max`, both included. */
export function between(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}

/** The value below which a part of the values lies; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

/** Seconds with one decimal. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
