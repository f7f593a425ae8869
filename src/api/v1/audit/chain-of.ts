import * as z from 'zod'
import type { Caller } from '../../../access/caller.ts'
import { RELAY_CHAIN } from '../../../audit/entry.ts'
import { RelayError } from '../../../model/errors.ts'

export const logSchema = z
  .enum(['workspace', 'relay'])
  .describe('`relay`: what belongs to no workspace, for the operator')

/** The chain that a call reads: the workspace's own, or the relay's for its operator. */
export function chainOf(
  log: z.infer<typeof logSchema> | undefined,
  { workspaceId, caller }: { workspaceId: string; caller: Caller },
): string {
  if (log !== 'relay') return workspaceId
  if (caller.kind !== 'operator')
    throw new RelayError('forbidden', 'The log of the relay is for its operator.')
  return RELAY_CHAIN
}
