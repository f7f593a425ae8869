/** Fields of one of the Worker's log lines, as they come out of its JSON. */
export type LineFields = { event: string } & Record<string, unknown>

/**
 * A line of the relay's log in words. There may be thousands of them a second, so that a busy relay counts them instead;
 * of the warnings about one thing it shows the first, and how many came after it.
 */
export type Sentence =
  | { kind: 'published'; text: string; events: number }
  | { kind: 'delivered'; text: string; events: number; latencyMs: number }
  | { kind: 'withheld'; published: number; delivered: number; requests: number; latency: Latency }
  | { kind: 'failed'; text: string; host: string; error: string }
  | { kind: 'skipped'; text: string; reason: string }
  | { kind: 'info'; title: string; text: string }
  | { kind: 'warning'; about: string; text: string }

/** Of several requests together. */
export type Latency = { sumMs: number; maxMs: number }

export function text(fields: LineFields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

export function number(fields: LineFields, name: string): number {
  const value = fields[name]
  return typeof value === 'number' ? value : 0
}

/** `1 event`, `2,000 events`. */
export function counted(count: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`
}

/** The hour of this machine's clock, as a person reads it. */
export function clockTime(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8)
}
