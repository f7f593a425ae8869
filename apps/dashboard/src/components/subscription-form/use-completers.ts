import { useMemo } from 'react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { type Completer, pathCompleter, templateCompleter, typeCompleter } from '../completion/completion.ts'
import { eventPaths } from '../completion/event-paths.ts'
import { readJson, readWords } from './text-values.ts'

/** The most that a catalogue holds. */
const TYPES_MAX = 1_000
/** Types whose fields are offered; of patterns that want more, these have to do. */
const DESCRIBED_MAX = 50

export type Completers = { events: Completer; filters: Completer; template: Completer }

/** Completes by the catalogue, and by the sample that the preview is of. */
export function useCompleters(events: string, sample: string): Completers {
  const mayRead = useMay('webhooks:read')
  const { data } = useQuery(
    'get',
    '/api/v1/event-types',
    { params: { query: { limit: TYPES_MAX } } },
    { enabled: mayRead },
  )
  return useMemo(() => {
    const types = data?.data ?? []
    const patterns = readWords(events)
    const wanted = types.filter(({ name }) => patterns.some((pattern) => wants(pattern, name)))
    const read = readJson<unknown>(sample)
    const paths = eventPaths(read.kind === 'value' ? read.value : null, wanted.slice(0, DESCRIBED_MAX))
    return {
      events: typeCompleter(types.map(({ name }) => name)),
      filters: pathCompleter(paths),
      template: templateCompleter(paths),
    }
  }, [data, events, sample])
}

function wants(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
