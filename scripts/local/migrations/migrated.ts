/** The migrations of a start, and the newest that the state had before; null for a state that is new. */
export type Migrated = { migrated: string[]; migratedFrom: string | null }

/** What a start has migrated, given all migrations in their order and those it has applied. */
export function migratedOf(names: readonly string[], migrated: readonly string[]): Migrated {
  const [first] = migrated
  const before = first === undefined ? undefined : names[names.indexOf(first) - 1]
  return { migrated: [...migrated], migratedFrom: before ?? null }
}

/** `, new` or `, migrated from … to …`, where a start has made or changed the database; nothing where it was up to date. */
export function describeMigrations({ migrated, migratedFrom }: Migrated): string {
  const to = migrated.at(-1)
  if (to === undefined) return ''
  if (migratedFrom === null) return ', new'
  const steps = migrated.length === 1 ? '1 migration' : `${migrated.length} migrations`
  return `, migrated from ${migrationTitle(migratedFrom)} to ${migrationTitle(to)} (${steps})`
}

export function migrationTitle(name: string): string {
  return name.replace(/\.sql$/, '')
}
