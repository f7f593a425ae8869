/**
 * The rooms of `src` from the top to the ground: an import goes down, or stays in its room. Rooms on one floor do not
 * import each other. biome.json says most of this too, so that an editor shows it; this list decides.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['index'],
  ['queue', 'scheduled', 'api'],
  ['relay'],
  ['outbound'],
  ['env'],
  ['operate'],
  ['replay', 'retention'],
  ['deliver/paced'],
  ['deliver'],
  ['deliver/settle'],
  ['deliver/attempt', 'publish'],
  ['hints', 'listen'],
  ['subscription'],
  ['catalogue', 'history', 'access'],
  ['workspace'],
  ['destination', 'store'],
  ['audit'],
  ['receiver'],
  ['outcome'],
  ['match', 'shape', 'pacing', 'limits', 'stream'],
  ['catalogue/schema'],
  ['model', 'signature'],
  ['base'],
]

/** Only these know the environment's bindings. */
export const ROOT_FILES = ['index.ts', 'queue.ts', 'scheduled.ts', 'relay.ts', 'outbound.ts', 'env.ts']

/** Rooms without SQL and platform, from which a statement may take a number that code compares with as well. */
export const GROUND_ROOMS = ['model', 'store', 'base']

const floorOf = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)))

/** The room that a file of `src` belongs to, named by its path from there; null where no room is known. */
export function roomOf(file: string): string | null {
  const parts = file.replace(/\.ts$/, '').split('/')
  const names = parts.map((_, n) => parts.slice(0, parts.length - n).join('/'))
  return names.find((name) => floorOf.has(name)) ?? null
}

/** Tells whether one file may import another one; both are paths from `src`. */
export function mayImport(from: string, to: string): boolean {
  const [above, below] = [roomOf(from), roomOf(to)]
  if (above === null || below === null) return false
  return above === below || (floorOf.get(above) ?? 0) < (floorOf.get(below) ?? 0)
}
