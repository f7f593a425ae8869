import { api } from '../../api/client.ts'

/** A name with what is to be said of it. */
export type Note = { name: string; reason: string }

/** The work of an import, done or only looked at. */
export type Plan = {
  created: readonly string[]
  updated: readonly string[]
  changes: readonly { name: string; fields: readonly string[] }[]
  unchanged: readonly string[]
  skipped: readonly Note[]
  warnings: readonly Note[]
}

/** Imports a document, or asks what that would do. Its text is sent as it is. */
export async function importTypes(document: string, { dryRun }: { dryRun: boolean }): Promise<Plan> {
  const { data } = await api.POST('/api/v1/event-types/import', {
    params: { query: dryRun ? { dryRun: 'true' as never } : {} },
    body: {},
    bodySerializer: () => document,
  })
  if (data === undefined) throw new Error('The relay gave no plan.')
  return data.data
}
