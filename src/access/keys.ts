import { AUDIT_KEPT_MS } from '../audit/entry.ts'
import { mergeLimits } from '../limits/limits.ts'
import type { Problem } from '../model/errors.ts'
import { useWorkspace } from '../workspace/settings.sql.ts'
import { hashSecret, makeApiKey } from './api-key.ts'
import type { Caller } from './caller.ts'
import { findExcess, type KeyRights } from './granting.ts'
import type { ApiKey } from './key.ts'
import {
  deleteKey,
  findKey,
  insertKey,
  type KeyChange,
  rotateKey as rotateInStore,
  updateKey,
} from './keys.sql.ts'

export type KeyDeps = { db: D1Database; now: () => number }

/** A key as its maker describes it. */
export type KeyInput = KeyRights & Pick<ApiKey, 'name'>

/** A key whose text is known now and never again. */
type Shown = { key: ApiKey; text: string }
type Excess = { kind: 'exceeds'; problems: Problem[] }
type Missing = { kind: 'not_found' }

/** Makes a key that its maker's workspace has from then on. */
export async function createKey(
  { db, now }: KeyDeps,
  maker: Caller,
  input: KeyInput,
): Promise<({ kind: 'created' } & Shown) | { kind: 'full' } | Excess> {
  const problems = findExcess(maker, input)
  if (problems.length > 0) return { kind: 'exceeds', problems }
  const createdAtMs = now()
  const { workspaceId, actor: createdBy } = maker
  const { no: workspaceNo } = await useWorkspace(db, workspaceId, createdAtMs)
  const { id, secret, text } = makeApiKey()
  const key = { ...input, workspaceNo, id, hash: await hashSecret(secret), createdBy, createdAtMs }
  if (!(await insertKey(db, key))) return { kind: 'full' }
  const created = await findKey(db, workspaceId, id)
  if (created === null) throw new Error('a key vanished after its creation')
  return { kind: 'created', key: created, text }
}

/** Changes the fields that are named, of a key that may no more than its changer. */
export async function changeKey(
  { db }: KeyDeps,
  changer: Caller,
  { id, change }: { id: string; change: KeyChange },
): Promise<{ kind: 'changed'; key: ApiKey; before: ApiKey } | Missing | Excess> {
  const key = await findKey(db, changer.workspaceId, id)
  if (key === null) return { kind: 'not_found' }
  const { limits = {}, ...others } = change
  const named = Object.entries(others).filter(([, value]) => value !== undefined)
  const changed = {
    ...key,
    ...(Object.fromEntries(named) as Partial<ApiKey>),
    limits: mergeLimits(key.limits, limits),
  }
  const problems = [...findExcess(changer, key), ...findExcess(changer, changed)]
  if (problems.length > 0) return { kind: 'exceeds', problems: withoutRepeats(problems) }
  await updateKey(db, key, change)
  const found = await findKey(db, changer.workspaceId, id)
  return found === null ? { kind: 'not_found' } : { kind: 'changed', key: found, before: key }
}

/** Gives a key another secret, and shows it: to one who may all that the key may. */
export async function rotateKey(
  { db, now }: KeyDeps,
  rotator: Caller,
  { id, overlapSeconds }: { id: string; overlapSeconds: number },
): Promise<({ kind: 'rotated' } & Shown) | { kind: 'contended' } | Missing | Excess> {
  const key = await findKey(db, rotator.workspaceId, id)
  if (key === null) return { kind: 'not_found' }
  const problems = findExcess(rotator, key)
  if (problems.length > 0) return { kind: 'exceeds', problems }
  const { secret, text } = makeApiKey({ id })
  const next = { hash: await hashSecret(secret), previousUntilMs: now() + overlapSeconds * 1000 }
  if (!(await rotateInStore(db, key, next))) return { kind: 'contended' }
  const rotated = await findKey(db, rotator.workspaceId, id)
  return rotated === null ? { kind: 'contended' } : { kind: 'rotated', key: rotated, text }
}

/** Revokes a key. Its id is remembered for as long as the audit log, which is to name its later uses. */
export async function revokeKey({ db, now }: KeyDeps, key: ApiKey): Promise<void> {
  const nowMs = now()
  await deleteKey(db, key, { nowMs, forgetBeforeMs: nowMs - AUDIT_KEPT_MS })
}

function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.path, problem])).values()]
}
