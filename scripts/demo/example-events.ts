import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const FOLDER = path.join(import.meta.dirname, '../../examples/events')

/** An event as it is published: the file's own text, because numbers such as `2567.50` do not survive a parser. */
export type ExampleEvent = { file: string; type: string; text: string }

/** The events of `examples/events`, by file name; the number in front is that of the seed they come from. */
export function readExampleEvents(): ExampleEvent[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(FOLDER, file), 'utf8')
      const { event, type } = JSON.parse(text) as { event?: string; type?: string }
      return { file, type: event ?? type ?? '', text }
    })
}
