import path from 'node:path'

/** The repository, wherever a script or a test was started from. */
export const ROOT = path.resolve(import.meta.dirname, '../..')
