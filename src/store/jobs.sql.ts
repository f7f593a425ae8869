/** When a job ran last and what it reported; null if never. */
export async function lastRun(
  db: D1Database,
  name: string,
): Promise<{ ranAtMs: number; report: unknown } | null> {
  const row = await db
    .prepare('SELECT ran_at_ms, report FROM job WHERE name = ?1')
    .bind(name)
    .first<{ ran_at_ms: number; report: string }>()
  return row === null ? null : { ranAtMs: row.ran_at_ms, report: JSON.parse(row.report) as unknown }
}

/** Records that a job ran and what it reported. */
export async function recordRun(
  db: D1Database,
  name: string,
  { ranAtMs, report }: { ranAtMs: number; report: object },
): Promise<void> {
  await db
    .prepare(
      'INSERT INTO job (name, ran_at_ms, report) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET ran_at_ms = ?2, report = ?3',
    )
    .bind(name, ranAtMs, JSON.stringify(report))
    .run()
}
