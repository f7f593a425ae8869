/** One event of a `text/event-stream`. */
export type ServerSentEvent = { event: string; data: string; id: string | null }

/** Reads a `text/event-stream` as it arrives, in chunks that may end anywhere. */
export class EventStreamParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | null = null

  /** Takes the next chunk; answers the events that it completes. */
  push(chunk: string): ServerSentEvent[] {
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#take(line) ?? [])
  }

  #take(line: string): ServerSentEvent | null {
    if (line === '') return this.#complete()
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') this.#event = value
    if (field === 'data') this.#data.push(value)
    if (field === 'id') this.#id = value
    return null
  }

  #complete(): ServerSentEvent | null {
    const [event, data, id] = [this.#event, this.#data, this.#id]
    this.#event = ''
    this.#data = []
    return data.length === 0 ? null : { event: event || 'message', data: data.join('\n'), id }
  }
}
