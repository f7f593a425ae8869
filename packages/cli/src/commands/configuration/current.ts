import { isPosthornError, type Posthorn, type Schemas } from '../../../../client/src/index.ts'
import type { Context } from '../../command.ts'
import type { Settings } from '../../configuration/subscription-settings.ts'
import type { Progress } from '../../shell/progress.ts'

/** A workspace, as far as a file of its configuration speaks of it. */
export type Current = {
  workspaceId: string
  /** Null for a key that may not see them. */
  settings: Settings | null
  eventTypes: Schemas['EventType'][]
  subscriptions: Schemas['Subscription'][]
}

/** Reads a workspace whole. */
export async function readCurrent(
  posthorn: Posthorn,
  { call }: Pick<Context, 'call'>,
  progress: Progress,
): Promise<Current> {
  const { workspaceId } = await posthorn.session(call)
  const settings = await readSettings(posthorn, workspaceId, { call })
  const eventTypes: Current['eventTypes'] = []
  for await (const type of posthorn.eventTypes.list({ limit: 1_000 }, call)) {
    eventTypes.push(type)
    progress.say(`${eventTypes.length} event types read`)
  }
  const subscriptions: Current['subscriptions'] = []
  for await (const subscription of posthorn.subscriptions.list({ limit: 1_000 }, call)) {
    // One of a running `posthorn listen` goes by itself.
    if (!subscription.temporary) subscriptions.push(subscription)
    progress.say(`${subscriptions.length} subscriptions read`)
  }
  return { workspaceId, settings, eventTypes, subscriptions }
}

async function readSettings(
  posthorn: Posthorn,
  id: string,
  { call }: Pick<Context, 'call'>,
): Promise<Settings | null> {
  try {
    return (await posthorn.workspaces.get(id, call)) as unknown as Settings
  } catch (error) {
    if (isPosthornError(error) && error.code === 'forbidden') return null
    throw error
  }
}
