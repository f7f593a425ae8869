import type { SealOwner, Vault } from '../../base/secret/vault.ts'
import { renewKeyCheck } from '../../store/key-check.ts'
import { keepProgress, type Progress, readProgress } from './progress.sql.ts'
import { lastNos, readSeals, replaceSeals, SEALED_TABLES, type Seal } from './seals.sql.ts'

export type RotationDeps = { db: D1Database; vault: Vault; now: () => number }

/** A sealed text that no key opens, by the place it is in. */
export type Unreadable = SealOwner & { field: string }

/** How far the rotation has come, and what the step that was just made could not open. */
export type RotationReport = {
  progress: Progress
  previousKeyId: string | null
  percent: number
  unreadable: Unreadable[]
  /** True for the first step of a rotation. */
  isBegun: boolean
}

/**
 * Seals the next rows anew under the current key. A rotation walks over everything that is sealed until a whole walk
 * has found nothing left to do: then the key before can go. Each step may be cut off anywhere and made again, also by
 * several callers at once, as a seal is written only in the place of the one that was opened.
 */
export async function rotateStep(deps: RotationDeps): Promise<RotationReport> {
  const { db, vault, now } = deps
  const stored = await readProgress(db)
  const { current: keyId } = await vault.keyIds()
  const isOver = stored === null || stored.progress.keyId !== keyId || stored.progress.finishedAtMs !== null
  const before = isOver ? beginning(keyId, now()) : stored.progress
  const { progress, unreadable } = await visitRows(deps, before)
  if (progress.finishedAtMs !== null) await renewKeyCheck(db, vault)
  const isKept = await keepProgress(db, stored?.text ?? null, { progress, nowMs: now() })
  const shown = isKept ? progress : ((await readProgress(db))?.progress ?? progress)
  return await report(deps, shown, { unreadable, isBegun: isOver })
}

/** How far the last rotation has come; null before the first. */
export async function rotationState(deps: RotationDeps): Promise<RotationReport | null> {
  const stored = await readProgress(deps.db)
  return stored === null ? null : await report(deps, stored.progress, { unreadable: [], isBegun: false })
}

function beginning(keyId: string, nowMs: number): Progress {
  return {
    keyId,
    startedAtMs: nowMs,
    finishedAtMs: null,
    walk: 1,
    table: 0,
    aboveNo: 0,
    found: 0,
    examined: 0,
    resealed: 0,
    unreadable: 0,
  }
}

type Visited = { progress: Progress; unreadable: Unreadable[] }

async function visitRows({ db, vault, now }: RotationDeps, before: Progress): Promise<Visited> {
  const table = SEALED_TABLES[before.table]
  if (table === undefined) return { progress: nextWalk(before, now()), unreadable: [] }
  const { seals, lastNo, rows } = await readSeals(db, table, before.aboveNo)
  if (lastNo === null) {
    const next = { ...before, table: before.table + 1, aboveNo: 0 }
    return { progress: next.table < SEALED_TABLES.length ? next : nextWalk(next, now()), unreadable: [] }
  }
  const { renewed, unreadable } = await renewSeals(vault, seals)
  const progress = {
    ...before,
    aboveNo: lastNo,
    found: before.found + renewed.length,
    examined: before.examined + rows,
    resealed: before.resealed + (await replaceSeals(db, table, renewed)),
    unreadable: before.unreadable + unreadable.length,
  }
  return { progress, unreadable }
}

/** The end of a walk is that of the rotation if it has found nothing: nobody seals under the key before any more. */
function nextWalk(progress: Progress, nowMs: number): Progress {
  if (progress.found === 0) return { ...progress, finishedAtMs: nowMs }
  return { ...progress, walk: progress.walk + 1, table: 0, aboveNo: 0, found: 0, unreadable: 0 }
}

async function renewSeals(
  vault: Vault,
  seals: readonly Seal[],
): Promise<{ renewed: { seal: Seal; sealed: string }[]; unreadable: Unreadable[] }> {
  const renewed: { seal: Seal; sealed: string }[] = []
  const unreadable: Unreadable[] = []
  for (const seal of seals) {
    if (await vault.isCurrent(seal.sealed)) continue
    const plain = await vault.open(seal.sealed, seal.owner, seal.field).catch(() => null)
    if (plain === null) unreadable.push({ ...seal.owner, field: seal.field })
    else renewed.push({ seal, sealed: await vault.seal(plain, seal.owner, seal.field) })
  }
  return { renewed, unreadable }
}

async function report(
  { db, vault }: RotationDeps,
  progress: Progress,
  step: Pick<RotationReport, 'unreadable' | 'isBegun'>,
): Promise<RotationReport> {
  const { previous: previousKeyId } = await vault.keyIds()
  return { progress, previousKeyId, percent: percentOf(progress, await lastNos(db)), ...step }
}

/** How much of this walk is done, by the numbers of rows. */
function percentOf({ finishedAtMs, table, aboveNo }: Progress, lasts: readonly number[]): number {
  if (finishedAtMs !== null) return 100
  const sum = (nos: readonly number[]) => nos.reduce((total, no) => total + no, 0)
  const all = sum(lasts)
  return all === 0 ? 0 : Math.min(99, Math.floor((100 * (sum(lasts.slice(0, table)) + aboveNo)) / all))
}
