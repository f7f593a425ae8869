import type { LimiterCall, LimiterReply } from '../../../src/limits/limiter/protocol.ts'
import { type DayUse, SharedUse } from '../../../src/limits/limiter/shared-use.ts'
import { type LimitSubject, type Limits, NO_LIMITS, WORKSPACE_SUBJECT } from '../../../src/limits/limits.ts'
import { WorkspaceUse } from '../../../src/limits/workspace-use.ts'

const REPORT_EVERY_MS = 2_000

export function workspaceWith(limits: Partial<Limits>): LimitSubject[] {
  return [{ id: WORKSPACE_SUBJECT, limits: { ...NO_LIMITS, ...limits } }]
}

type Isolate = {
  use: WorkspaceUse
  reportAtMs: number | null
  hasReported: boolean
  answer: { sent: LimiterCall; reply: LimiterReply; atMs: number } | null
}

/** Isolates that count for themselves and report as the relay's do, on a clock that a test moves. */
export class Isolates {
  nowMs: number
  kept: DayUse[] = []
  #shared = new SharedUse()
  #isolates: Isolate[]
  readonly #subjects: LimitSubject[]
  readonly #wayMs: () => number

  constructor(
    count: number,
    {
      limits,
      nowMs = Date.UTC(2026, 10, 2, 12),
      wayMs = () => 50,
    }: { limits: Partial<Limits>; nowMs?: number; wayMs?: () => number },
  ) {
    this.#subjects = workspaceWith(limits)
    this.nowMs = nowMs
    this.#wayMs = wayMs
    this.#isolates = Array.from({ length: count }, (_, i) => newIsolate(`isolate ${i}`))
  }

  /** One call of the API; true where it was admitted. */
  request(no: number): boolean {
    const isolate = this.#touched(no)
    return isolate.use.admitRequest(this.#subjects, this.nowMs) === null
  }

  /** Publishes events; answers how many were admitted, of which so many turn out to be new. */
  publish(no: number, events: number, isNew: (granted: number) => number = (granted) => granted): number {
    const isolate = this.#touched(no)
    const admission = isolate.use.admitEvents(this.#subjects, events, () => this.nowMs)
    admission.settle(isNew(admission.granted))
    return admission.granted
  }

  /** Lets time pass in small steps, in which reports go their way. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + 10)
      for (const isolate of this.#isolates) this.#carryReports(isolate)
    }
  }

  /** All isolates end and others take their place; the limiter forgets what it has not stored. */
  restart(): void {
    this.#shared = new SharedUse(this.kept)
    this.#isolates = this.#isolates.map((_, i) => newIsolate(`isolate ${i} from ${this.nowMs}`))
  }

  #touched(no: number): Isolate {
    const isolate = this.#isolates[no]
    if (isolate === undefined) throw new Error('there is no such isolate')
    isolate.reportAtMs ??= this.nowMs + (isolate.hasReported ? REPORT_EVERY_MS : 0)
    return isolate
  }

  #carryReports(isolate: Isolate): void {
    if (isolate.answer !== null && isolate.answer.atMs <= this.nowMs) {
      isolate.use.adopt({ ...isolate.answer, counted: null }, this.nowMs)
      isolate.answer = null
    }
    if (isolate.reportAtMs === null || isolate.reportAtMs > this.nowMs) return
    if (!isolate.use.isTouched) {
      isolate.reportAtMs = null
      return
    }
    isolate.reportAtMs = this.nowMs + REPORT_EVERY_MS
    isolate.hasReported = true
    const sent = isolate.use.report(this.nowMs, null)
    const { reply, changed } = this.#shared.answer(sent)
    this.kept.push(...changed)
    isolate.answer = { sent, reply, atMs: this.nowMs + this.#wayMs() }
  }
}

function newIsolate(name: string): Isolate {
  return { use: new WorkspaceUse(1, name), reportAtMs: null, hasReported: false, answer: null }
}
