import { BUDGETS_ROWS } from './budgets.ts'
import { FAILING_ROWS } from './failing.ts'
import { FANOUT_ROWS } from './fanout.ts'
import { HANGING_ROWS } from './hanging.ts'
import { LIMITS_ROWS } from './limits.ts'
import { MEMORY_ROWS } from './memory.ts'
import { OWN_IDS_ROWS } from './own-ids.ts'
import { PHP_ROWS } from './php.ts'
import { RETRIES_ROWS } from './retries.ts'
import { RETURN_ROWS } from './return.ts'
import type { Row } from './row.ts'
import { SLOW_ROWS } from './slow.ts'
import { STALL_ROWS } from './stall.ts'

export const ROWS: readonly Row[] = [
  ...FAILING_ROWS,
  ...FANOUT_ROWS,
  ...SLOW_ROWS,
  ...HANGING_ROWS,
  ...RETURN_ROWS,
  ...RETRIES_ROWS,
  ...BUDGETS_ROWS,
  ...MEMORY_ROWS,
  ...LIMITS_ROWS,
  ...PHP_ROWS,
  ...OWN_IDS_ROWS,
  ...STALL_ROWS,
]

/** The rows of these names: a row's own, or a beginning of it up to a `-`. All rows for none; null for a wrong name. */
export function chooseRows(names: readonly string[]): readonly Row[] | null {
  const isChosen = (row: Row, name: string) => row.name === name || row.name.startsWith(`${name}-`)
  if (!names.every((name) => ROWS.some((row) => isChosen(row, name)))) return null
  return names.length === 0 ? ROWS : ROWS.filter((row) => names.some((name) => isChosen(row, name)))
}
