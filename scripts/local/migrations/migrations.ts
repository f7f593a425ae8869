import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { migrationOptions, namesOf, type PlacedBuild } from '../build/build.ts'
import type { StateDir } from '../state.ts'

/** Applies migrations that this state's record does not name; a runtime for them costs a third of a second. */
export async function migratePending(state: StateDir, build: PlacedBuild): Promise<string[]> {
  const names = namesOf(build)
  const recorded = state.migrations()
  if (names.every((name) => recorded.includes(name))) return []
  const applied = await migrateBefore(state.dataPath, build)
  state.recordMigrations(names)
  return applied
}

/** Applies migrations with a runtime that has nothing but the database; it is over before the relay listens. */
export async function migrateBefore(resourcePersistencePath: string, build: PlacedBuild): Promise<string[]> {
  const mf = new Miniflare(
    convertV4MiniflareOptions({ cf: false, resourcePersistencePath, workers: [migrationOptions(build)] }),
  )
  try {
    const body = JSON.stringify(build.migrations)
    const response = await mf.dispatchFetch('http://migrations/', { method: 'POST', body })
    if (!response.ok) throw new Error(`The database cannot be migrated: ${await response.text()}`)
    return (await response.json()) as string[]
  } finally {
    await mf.dispose()
  }
}
