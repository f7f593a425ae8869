import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

/** Where things are kept, and where one goes that cannot be kept there. */
export type Places = { kept: string; ownFolder: string }

/** Those of other keys stay so long, for branches that one goes to and fro between. */
const KEPT_MS_MAX = 86_400_000

/**
 * Answers the folder of a key, and has it made where it is not kept yet. Several processes may do so at once: each makes
 * its own, and the first one whole is kept.
 */
export async function keep(
  { kept, ownFolder }: Places,
  key: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = path.join(kept, key)
  if (existsSync(folder)) return folder
  const draft = draftIn(kept)
  if (draft === null) {
    mkdirSync(ownFolder, { recursive: true })
    await make(ownFolder)
    return ownFolder
  }
  try {
    await make(draft)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  removeOld(kept, key)
  return folder
}

/** Null where the place is another user's, or read-only. */
function draftIn(kept: string): string | null {
  try {
    mkdirSync(kept, { recursive: true })
    return mkdtempSync(path.join(kept, 'draft-'))
  } catch {
    return null
  }
}

function removeOld(kept: string, key: string): void {
  for (const name of readdirSync(kept)) {
    const other = path.join(kept, name)
    const madeMs = statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (name !== key && madeMs < Date.now() - KEPT_MS_MAX) rmSync(other, { recursive: true, force: true })
  }
}
