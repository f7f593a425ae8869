import { counted, type Sentence } from './sentence.ts'

/** Failures that a summary names; the others are counted together. */
const FAULTS_NAMED_MAX = 3

/** Counts what a busy relay does, to say it in one line. */
export class Tally {
  #sentences = 0
  #published = 0
  #delivered = 0
  #requests = 0
  #latencySumMs = 0
  #latencyMaxMs = 0
  #skipped = 0
  readonly #faults = new Map<string, number>()

  get sentences(): number {
    return this.#sentences
  }

  add(sentence: Sentence): void {
    this.#sentences++
    switch (sentence.kind) {
      case 'published':
        this.#published += sentence.events
        break
      case 'delivered':
        this.#requests++
        this.#delivered += sentence.events
        this.#latencySumMs += sentence.latencyMs
        this.#latencyMaxMs = Math.max(this.#latencyMaxMs, sentence.latencyMs)
        break
      case 'withheld':
        this.#published += sentence.published
        this.#delivered += sentence.delivered
        this.#requests += sentence.requests
        this.#latencySumMs += sentence.latency.sumMs
        this.#latencyMaxMs = Math.max(this.#latencyMaxMs, sentence.latency.maxMs)
        break
      case 'failed': {
        const fault = `${sentence.host} ${sentence.error}`
        this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1)
        break
      }
      case 'skipped':
        this.#skipped++
        break
      case 'info':
      case 'warning':
        break
    }
  }

  /** What was counted; null for nothing. */
  summary(): string | null {
    const parts: string[] = []
    if (this.#published > 0) parts.push(`${counted(this.#published, 'event')} published`)
    if (this.#delivered > 0) {
      const averageMs = Math.round(this.#latencySumMs / this.#requests)
      parts.push(
        `${counted(this.#delivered, 'delivery')} made (${averageMs} ms on average, ${this.#latencyMaxMs} ms at most)`,
      )
    }
    const faults = this.#faultsInWords()
    if (faults !== null) parts.push(faults)
    if (this.#skipped > 0) parts.push(`${this.#skipped.toLocaleString('en-US')} skipped`)
    return parts.length === 0 ? null : parts.join('; ')
  }

  #faultsInWords(): string | null {
    const byCount = [...this.#faults].sort(([, one], [, other]) => other - one)
    if (byCount.length === 0) return null
    const total = byCount.reduce((sum, [, count]) => sum + count, 0)
    const named = byCount
      .slice(0, FAULTS_NAMED_MAX)
      .map(([fault, count]) => `${fault} × ${count.toLocaleString('en-US')}`)
    const rest = byCount.length - named.length
    if (rest > 0) named.push(`${counted(rest, 'other')}`)
    return `${counted(total, 'attempt')} failed: ${named.join(', ')}`
  }
}
