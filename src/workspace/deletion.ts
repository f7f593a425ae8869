import * as z from 'zod'

/**
 * The parts of a deletion, in their order. Events go first: without them nothing of the workspace is delivered, or looked
 * for by the sweep. `settling` waits until no consumer can still write an outcome. A bare row that is
 * `done` only keeps its number from being given out again; it has another name.
 */
export const DELETION_PHASES = [
  'stopping',
  'events',
  'batches',
  'settling',
  'subscriptions',
  'rest',
  'done',
] as const
export type DeletionPhase = (typeof DELETION_PHASES)[number]

const countSchema = z.int().nonnegative().default(0)

/** The number of things that a deletion has erased. */
const erasedSchema = z.object({
  events: countSchema,
  deliveries: countSchema,
  subscriptions: countSchema,
  /** Objects in R2. */
  objects: countSchema,
})
export type Erased = z.infer<typeof erasedSchema>

/** How far the deletion of a workspace is, as stored in its row. */
export const deletionSchema = z.object({
  requestedAtMs: z.number(),
  phase: z.enum(DELETION_PHASES),
  /** When the phase began. */
  phaseAtMs: z.number(),
  /** The place where the walk of the phase goes on. */
  cursor: z.string().default(''),
  erased: erasedSchema.prefault({}),
  /** The run that has it in hand, and until when: two at once would undo each other's place. */
  leaseId: z.string().default(''),
  leasedUntilMs: z.number().default(0),
})
export type Deletion = z.infer<typeof deletionSchema>

/** A deletion that has just been asked for. */
export function newDeletion(nowMs: number): Deletion {
  return deletionSchema.parse({ requestedAtMs: nowMs, phase: 'stopping', phaseAtMs: nowMs })
}

/** Reads a deletion as stored; null for a workspace that stays. */
export function readDeletion(text: string | null): Deletion | null {
  return text === null ? null : deletionSchema.parse(JSON.parse(text))
}

/** The deletion at the beginning of its next phase. */
export function nextPhase(deletion: Deletion, nowMs: number): Deletion {
  const phase = DELETION_PHASES[DELETION_PHASES.indexOf(deletion.phase) + 1] ?? 'done'
  return { ...deletion, phase, phaseAtMs: nowMs, cursor: '' }
}

/** The deletion with what one more step has erased. */
export function withErased(deletion: Deletion, more: Partial<Erased>): Deletion {
  const { events, deliveries, subscriptions, objects } = deletion.erased
  return {
    ...deletion,
    erased: {
      events: events + (more.events ?? 0),
      deliveries: deliveries + (more.deliveries ?? 0),
      subscriptions: subscriptions + (more.subscriptions ?? 0),
      objects: objects + (more.objects ?? 0),
    },
  }
}

/** Thrown at anything that would use a workspace which is being deleted; the API answers it with its reason. */
export class WorkspaceDeleting extends Error {
  readonly workspaceId: string

  constructor(workspaceId: string) {
    super(`the workspace ${workspaceId} is being deleted`)
    this.name = 'WorkspaceDeleting'
    this.workspaceId = workspaceId
  }
}
