import { canonicalJson } from '../base/json/canonical.ts'

/**
 * The fields that a call has named and changed, with their values after it. Those that cannot be compared, since they are
 * sealed, count as changed.
 */
export function changedFields(
  named: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed = Object.entries(named).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined) return []
    if (!Object.hasOwn(before, name) || !Object.hasOwn(after, name)) return [[name, value]]
    const isSame = canonicalJson(before[name]) === canonicalJson(after[name])
    return isSame ? [] : [[name, after[name]]]
  })
  return Object.fromEntries(changed)
}
