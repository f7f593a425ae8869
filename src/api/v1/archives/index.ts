import type { Route } from '../../define-route.ts'
import { getArchive } from './get-archive.ts'
import { listArchives } from './list-archives.ts'
import { restoreArchive } from './restore-archive.ts'

/** Calls that are about archives, in the order of the API document. */
export const archiveRoutes: readonly Route[] = [listArchives, getArchive, restoreArchive]
