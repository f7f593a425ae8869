import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../local/root.ts'
import type { Row, Seed } from './row.ts'

/** The sentences of docs/seeds.md by seed and row: how a row is otherwise than said, or why it cannot be. */
export class Reasons {
  readonly #sentences = new Map<string, string>()

  constructor(text = readFileSync(path.join(ROOT, 'docs/seeds.md'), 'utf8')) {
    for (const [, seed, section] of text.matchAll(/^## Seed (\d{3})\b.*?\n(.*?)(?=^## |$(?![\s\S]))/gms)) {
      for (const [, row, sentence] of (section ?? '').matchAll(/^\| (\d[\d-]*) \|.*?\| ([^|]+) \|$/gm)) {
        this.#sentences.set(`${seed}/${row}`, sentence ?? '')
      }
    }
  }

  /** The rows that have a sentence, as `seed/row`. */
  get rows(): string[] {
    return [...this.#sentences.keys()]
  }

  /** Throws where the page does not say how the row is. */
  of({ name }: Seed, { row }: Row): string {
    const sentence = this.#sentences.get(`${name}/${row}`)
    if (sentence === undefined)
      throw new Error(`docs/seeds.md does not say how row ${row} of seed ${name} is`)
    return sentence
  }
}
