import { useQuery } from '@tanstack/react-query'
import { parseExactJson } from '../components/json/exact-json.ts'
import { api } from './client.ts'
import type { Schemas } from './schemas.ts'

export type EventType = Schemas['EventType']

/** A type of the catalogue; the numbers of its example print as they stand there. */
export function useEventType(name: string) {
  return useQuery({
    queryKey: ['event-type', name],
    queryFn: () => readEventType(name),
    enabled: name !== '',
  })
}

async function readEventType(name: string): Promise<EventType> {
  const { data } = await api.GET('/api/v1/event-types/{name}', {
    params: { path: { name } },
    parseAs: 'text',
  })
  if (data === undefined) throw new Error('The relay gave no event type.')
  const [type, exact] = [JSON.parse(data), parseExactJson(data)] as { data: EventType }[]
  if (type === undefined || exact === undefined) throw new Error('The relay gave no event type.')
  return { ...type.data, example: exact.data.example }
}

/** A type that may not be in the catalogue: then null, and nothing that the browser reports as a fault. */
export async function findEventType(name: string): Promise<EventType | null> {
  const query = { prefix: name, limit: 1 }
  const { data } = await api.GET('/api/v1/event-types', { params: { query }, parseAs: 'text' })
  if (data === undefined) throw new Error('The relay gave no event types.')
  const [found] = (JSON.parse(data) as { data: EventType[] }).data
  const [exact] = (parseExactJson(data) as { data: EventType[] }).data
  return found?.name === name && exact !== undefined ? { ...found, example: exact.example } : null
}

/** What a type is replaced by; schema and example are JSON texts, sent as they are. */
export type EventTypeTexts = {
  description: string | null
  group: string | null
  schema: string | null
  example: string | null
  deprecated: boolean
}

/** Creates a type, or replaces it as a whole; answers what its schema will not do. */
export async function saveEventType(name: string, texts: EventTypeTexts): Promise<Warnings> {
  const { schema, example, ...rest } = texts
  const body = `{"schema":${schema ?? 'null'},"example":${example ?? 'null'},${JSON.stringify(rest).slice(1)}`
  const { data } = await api.PUT('/api/v1/event-types/{name}', {
    params: { path: { name } },
    body: {},
    bodySerializer: () => body,
  })
  return data?.data.warnings ?? []
}

type Warnings = readonly { path: string; message: string }[]

/** A type as it is, to be saved with a change. */
export function textsOf({ description, group, schema, example, deprecated }: EventType): EventTypeTexts {
  const textOf = (value: unknown) => (value === null ? null : JSON.stringify(value))
  return { description, group, schema: textOf(schema), example: textOf(example), deprecated }
}
