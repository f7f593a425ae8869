/** Values a log line may carry. Never payloads, secrets or full URLs. */
export type LogFields = Record<string, string | number | boolean | null | undefined>

/** Writes one wide, structured line per unit of work. */
export type Log = (event: string, fields: LogFields) => void

/** The relay's only use of the console: one JSON line. */
export const logToConsole: Log = (event, fields) => {
  console.log(JSON.stringify({ event, ...fields }))
}

/** A short text for an unknown error: its name and message, cut; never its stack. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, 300)
}
