import { applyMigrations, type Database } from './apply-migrations.ts'
import type { Migration } from './make-build.ts'

/** Migrates its database. From outside the runtime each statement would be a round trip, in which node stands still. */
export default {
  async fetch(request: Request, { DB }: { DB: Database }): Promise<Response> {
    return Response.json(await applyMigrations(DB, (await request.json()) as Migration[]))
  },
}
