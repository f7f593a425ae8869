import { schemaRows } from '../json/schema-rows.ts'

/** Members of every event. */
const ENVELOPE = ['id', 'event', 'timestamp', 'livemode', 'api_version', 'data', 'context']
const PATHS_MAX = 1_000
const DEPTH_MAX = 12
/** Elements of a list that are looked into: the others are as these. */
const ELEMENTS_MAX = 5

/** A type of the catalogue, as far as it tells what its events hold. */
type Described = { schema: unknown; example: unknown }

/** The paths of events as rules and templates name them: lists stand for their elements. */
export function eventPaths(sample: unknown, types: readonly Described[]): string[] {
  const paths = new Set(ENVELOPE)
  if (isObject(sample)) addPaths(sample, '', paths)
  for (const { example, schema } of types) {
    addPaths(example, 'data', paths)
    for (const { path } of schemaRows(schema)) paths.add(`data.${path.replaceAll('[]', '')}`)
  }
  return [...paths].slice(0, PATHS_MAX)
}

function addPaths(value: unknown, path: string, paths: Set<string>, depth = 0): void {
  if (depth > DEPTH_MAX || paths.size >= PATHS_MAX) return
  if (Array.isArray(value)) {
    for (const element of value.slice(0, ELEMENTS_MAX)) addPaths(element, path, paths, depth + 1)
    return
  }
  if (!isObject(value)) return
  for (const [name, member] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`
    paths.add(below)
    addPaths(member, below, paths, depth + 1)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
