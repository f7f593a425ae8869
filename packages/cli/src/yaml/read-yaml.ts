import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { Failure } from '../failure/failure.ts'

/** A document of YAML or JSON: its value, and where each part of it stands. */
export type YamlFile = {
  name: string
  value: unknown
  /** `file:line:column` of what a path leads to, or of the nearest thing around it. */
  placeOf: (path: readonly (string | number)[]) => string
}

/**
 * Reads YAML, of which JSON is a part.
 *
 * @throws Failure that names file, line and column
 */
export function readYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    const details = document.errors.map(({ pos, message }) => `${placeAt(pos[0])}: ${message}`)
    throw new Failure('usage', `${details[0]}`, {
      details: details.slice(1, 5),
      next: 'Mend the file. Nothing was done.',
    })
  }
  return {
    name,
    value: readValue(() => document.toJS({ maxAliasCount: 100 }), name),
    placeOf: (path) => placeAt(offsetOf(document.contents, path)),
  }
}

function readValue(read: () => unknown, name: string): unknown {
  try {
    return read()
  } catch (error) {
    throw new Failure('usage', `${name} cannot be read: ${error instanceof Error ? error.message : error}.`)
  }
}

/** Where the node begins that a path leads to; where the path ends early, that of its last node. */
function offsetOf(root: unknown, path: readonly (string | number)[]): number {
  let node = root
  let offset = rangeOf(root)
  for (const step of path) {
    const pair = isMap(node)
      ? node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step)
      : undefined
    if (pair !== undefined) {
      offset = rangeOf(pair.key)
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step]
      offset = rangeOf(node)
    } else {
      break
    }
  }
  return offset
}

function rangeOf(node: unknown): number {
  const range = (node as { range?: [number, number, number] | null } | null)?.range
  return range?.[0] ?? 0
}
