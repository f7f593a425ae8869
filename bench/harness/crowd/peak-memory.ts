/** The peak memory of a relay's workerd, and how often it had to be started again. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Child } from '../processes.ts'

const SAMPLE_MS = 500

export class PeakMemory {
  readonly #group: number
  readonly #peaksMiB = new Map<number, number>()
  readonly #timer: NodeJS.Timeout

  constructor(relay: Child) {
    this.#group = relay.process.pid ?? 0
    // The kernel keeps the peak; it is asked again and again for the peak of a workerd that has died.
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
    this.#sample()
  }

  /** The highest peak so far in MiB; null where the system does not tell. */
  get miB(): number | null {
    this.#sample()
    return this.#peaksMiB.size === 0 ? null : Math.max(...this.#peaksMiB.values())
  }

  /** Times that workerd has died and was started again. */
  get restarts(): number {
    return Math.max(0, this.#peaksMiB.size - 1)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    for (const pid of workerdsOf(this.#group)) {
      const peakKiB = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]
      if (peakKiB !== undefined) this.#peaksMiB.set(pid, Number(peakKiB) / 1024)
    }
  }
}

function workerdsOf(group: number): number[] {
  return pids().filter((pid) => {
    // "1234 (workerd) S parent group …"
    const match = /^\d+ \(workerd\) \S \d+ (\d+) /.exec(read(`/proc/${pid}/stat`))
    return match !== null && Number(match[1]) === group
  })
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** A process may end at any time: its files then read as empty. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
