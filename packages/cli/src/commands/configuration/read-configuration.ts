import { missingReferences } from '../../configuration/references.ts'
import { type Settings, SUBSCRIPTION_DEFAULTS } from '../../configuration/subscription-settings.ts'
import { Failure } from '../../failure/failure.ts'
import { readYaml, type YamlFile } from '../../yaml/read-yaml.ts'

export const FORMAT_VERSION = 1

/** Settings of a workspace that a file has. Limits are the operator's. */
export const WORKSPACE_SETTINGS = [
  ...['eventTypeEnforcement', 'apiVersion', 'livemode', 'retentionDays', 'retentionBytes', 'archive'],
  ...['allowedHosts', 'deniedHosts', 'allowHttp', 'allowedPorts', 'verifyOwnership', 'allowedCertificates'],
]
const TYPE_SETTINGS = ['name', 'description', 'group', 'schema', 'example', 'deprecated']
const MEMBERS = ['version', 'workspace', 'eventTypes', 'subscriptions']

/** A file of a workspace's configuration. Values are as they stand in it: references are not resolved. */
export type Configuration = {
  file: YamlFile
  workspace: Settings | null
  eventTypes: Settings[] | null
  subscriptions: Settings[] | null
}

/**
 * Reads a configuration, and finds what can be seen to be wrong before anything is asked.
 *
 * @throws Failure that names file, line and column of all that is wrong
 */
export function readConfiguration(text: string, name: string): Configuration {
  const file = readYaml(text, name)
  const problems = new Problems(file)
  const root = problems.mapping(file.value, [])
  problems.knownNames(root, [], MEMBERS)
  if (root['version'] !== FORMAT_VERSION) problems.add(['version'], `version must be ${FORMAT_VERSION}`)
  const workspace =
    root['workspace'] === undefined ? null : problems.mapping(root['workspace'], ['workspace'])
  problems.knownNames(workspace ?? {}, ['workspace'], [...WORKSPACE_SETTINGS, 'limits'])
  const eventTypes = problems.list(root['eventTypes'], 'eventTypes', TYPE_SETTINGS)
  const settings = [...Object.keys(SUBSCRIPTION_DEFAULTS), 'id']
  const subscriptions = problems.list(root['subscriptions'], 'subscriptions', settings)
  for (const [i, type] of (eventTypes ?? []).entries()) {
    if (typeof type['name'] !== 'string') problems.add(['eventTypes', i], 'an event type needs a name')
  }
  problems.unique(eventTypes ?? [], 'eventTypes', 'name')
  for (const [i, subscription] of (subscriptions ?? []).entries()) {
    const isNamed = [subscription['uid'], subscription['id']].some((each) => typeof each === 'string')
    if (!isNamed) {
      problems.add(['subscriptions', i], 'a subscription needs a uid, or a second run would make it again')
    }
  }
  problems.unique(subscriptions ?? [], 'subscriptions', 'uid')
  problems.throwIfAny()
  return { file, workspace, eventTypes, subscriptions }
}

/** @throws Failure where the file refers to variables that are not set */
export function requireReferences(
  { file }: Configuration,
  used: readonly unknown[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const missing = [...new Set(used.flatMap((each) => missingReferences(each, env)))]
  if (missing.length === 0) return
  throw new Failure('usage', `${file.name} refers to variables that are not set: ${missing.join(', ')}.`, {
    next: 'Set them. Nothing was done.',
  })
}

class Problems {
  readonly #file: YamlFile
  readonly #found: string[] = []

  constructor(file: YamlFile) {
    this.#file = file
  }

  add(path: readonly (string | number)[], message: string): void {
    this.#found.push(`${this.#file.placeOf(path)}: ${message}`)
  }

  mapping(value: unknown, path: readonly (string | number)[]): Settings {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings
    this.add(path, `${path.at(-1) ?? 'the file'} must have members by name`)
    return {}
  }

  knownNames(value: Settings, path: readonly (string | number)[], known: readonly string[]): void {
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) this.add([...path, name], `${name} is not known here: ${known.join(', ')}`)
    }
  }

  /** Null for a list that is left out, which says nothing of what there is. */
  list(value: unknown, name: string, known: readonly string[]): Settings[] | null {
    if (value === undefined || value === null) return null
    if (!Array.isArray(value)) this.add([name], `${name} must be a list`)
    const list = (Array.isArray(value) ? value : []).map((each, i) => this.mapping(each, [name, i]))
    for (const [i, each] of list.entries()) this.knownNames(each, [name, i], known)
    return list
  }

  unique(list: readonly Settings[], name: string, member: string): void {
    const seen = new Set<unknown>()
    for (const [i, each] of list.entries()) {
      const value = each[member]
      if (value !== undefined && seen.has(value))
        this.add([name, i, member], `${String(value)} is there twice`)
      seen.add(value)
    }
  }

  throwIfAny(): void {
    const [first, ...more] = this.#found
    if (first === undefined) return
    throw new Failure('usage', first, {
      details: more.slice(0, 20),
      next: 'Mend the file. Nothing was done.',
    })
  }
}
