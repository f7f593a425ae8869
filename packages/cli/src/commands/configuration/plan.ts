import { type Change, compareNamed, compareSubscription } from '../../configuration/compare.ts'
import { unescapeReference } from '../../configuration/references.ts'
import { isEqual, type Settings } from '../../configuration/subscription-settings.ts'
import { Failure } from '../../failure/failure.ts'
import type { Current } from './current.ts'
import type { Configuration } from './read-configuration.ts'

type Env = Readonly<Record<string, string | undefined>>
type Path = readonly (string | number)[]

/** One call that brings a workspace nearer to its file; `path` is where the file asks for it. */
export type Step =
  | { kind: 'settings'; label: string; path: Path; changes: Change[] }
  | {
      kind: 'put_type'
      label: string
      path: Path
      name: string
      isNew: boolean
      body: Settings
      changes: Change[]
    }
  | { kind: 'create'; label: string; path: Path; settings: Settings }
  | { kind: 'update'; label: string; path: Path; id: string; updatedAt: string; changes: Change[] }
  | { kind: 'delete_type'; label: string; path: Path; name: string }
  | { kind: 'delete'; label: string; path: Path; id: string }

export type Plan = {
  steps: Step[]
  /** Things of the workspace that the file does not have, and that stay. */
  leftAlone: string[]
}

/** Credentials that are given again where a url moves, as the relay does not take them along. */
const CREDENTIALS = ['auth', 'headers']

/** Says what is to be done so that a workspace is as a file says; nothing where it is. */
export function planChanges(
  { workspace, eventTypes, subscriptions, file }: Configuration,
  current: Current,
  { env, prunes }: { env: Env; prunes: boolean },
): Plan {
  const settings = workspace === null ? [] : planSettings(workspace, current, env)
  const types = (eventTypes ?? []).flatMap((type, i) => planType(type, i, current))
  const known = (subscriptions ?? []).map((wanted, i) => planSubscription(wanted, i, { current, env, file }))
  const extra = extraOf(
    eventTypes,
    current,
    new Set(known.flatMap(({ id }) => id ?? [])),
    subscriptions !== null,
  )
  return {
    steps: [...settings, ...types, ...known.flatMap(({ steps }) => steps), ...(prunes ? extra : [])],
    leftAlone: prunes ? [] : extra.map(({ label }) => label),
  }
}

function planSettings(workspace: Settings, { settings, workspaceId }: Current, env: Env): Step[] {
  if (settings === null) {
    throw new Failure('access', 'The key may not see the settings of the workspace, which the file names.', {
      next: 'Take a key with workspace:admin, or leave workspace out of the file. Nothing was done.',
    })
  }
  const changes = compareNamed(workspace, settings, env)
  return changes.length === 0
    ? []
    : [{ kind: 'settings', label: `workspace ${workspaceId}`, path: ['workspace'], changes }]
}

function planType(wanted: Settings, i: number, { eventTypes }: Current): Step[] {
  const { name, ...given } = wanted as Settings & { name: string }
  const shown = eventTypes.find((type) => type.name === name) as unknown as Settings | undefined
  const body: Settings = {
    description: null,
    group: null,
    schema: null,
    example: null,
    deprecated: false,
    ...given,
  }
  const changes = Object.entries(body).flatMap(([member, to]) =>
    isEqual(to ?? null, shown?.[member] ?? null) ? [] : [{ name: member, from: shown?.[member], to }],
  )
  const isNew = shown === undefined
  if (!isNew && changes.length === 0) return []
  const label = `event type ${name}`
  return [{ kind: 'put_type', label, path: ['eventTypes', i], name, isNew, body, changes }]
}

function planSubscription(
  wanted: Settings,
  i: number,
  { current, env, file }: { current: Current; env: Env; file: Configuration['file'] },
): { steps: Step[]; id: string | null } {
  const { id, ...settings } = wanted
  const path = ['subscriptions', i]
  const uid = typeof settings['uid'] === 'string' ? unescapeReference(settings['uid']) : null
  // By its id also where it has a uid in the file alone: to create that one would deliver everything twice.
  const found =
    current.subscriptions.find((each) => uid !== null && each.uid === uid) ??
    current.subscriptions.find((each) => each.id === id)
  const label = `subscription ${String(uid ?? id)}`
  if (found === undefined && uid === null) {
    throw new Failure(
      'conflict',
      `${file.placeOf(path)}: this workspace has no subscription ${String(id)}.`,
      {
        next: 'Give it a uid instead of the id, and it is created here. Nothing was done.',
      },
    )
  }
  if (found === undefined) return { steps: [{ kind: 'create', label, path, settings }], id: null }
  const changes = withCredentials(compareSubscription(settings, found as unknown as Settings, env), settings)
  const { id: foundId, updatedAt } = found
  const step = { kind: 'update', label, path, id: foundId, updatedAt, changes } as const
  return { steps: changes.length === 0 ? [] : [step], id: foundId }
}

function withCredentials(changes: Change[], settings: Settings): Change[] {
  if (!changes.some(({ name }) => name === 'url')) return changes
  const named = CREDENTIALS.filter(
    (name) => settings[name] !== undefined && !changes.some((change) => change.name === name),
  )
  return [...changes, ...named.map((name) => ({ name, from: settings[name], to: settings[name] }))]
}

/** Finds what the workspace has and the file has not. A part that the file leaves out is not spoken of. */
function extraOf(
  eventTypes: Settings[] | null,
  current: Current,
  keptIds: ReadonlySet<string>,
  speaksOfSubscriptions: boolean,
): Step[] {
  const names = new Set((eventTypes ?? []).map(({ name }) => name))
  const types = eventTypes === null ? [] : current.eventTypes.filter(({ name }) => !names.has(name))
  const others = speaksOfSubscriptions ? current.subscriptions.filter(({ id }) => !keptIds.has(id)) : []
  return [
    ...others.map(({ id, uid }) => ({
      kind: 'delete' as const,
      label: `subscription ${uid ?? id}`,
      path: [],
      id,
    })),
    ...types.map(({ name }) => ({
      kind: 'delete_type' as const,
      label: `event type ${name}`,
      path: [],
      name,
    })),
  ]
}
