import { createHash } from 'node:crypto'

/** A relay of an account: its name, from which those of its resources are made, and a host of its own or none. */
export type Target = { name: string; domain: string | null }

/** wrangler.toml under the target's names, with the database's real id. Variables that are set elsewhere stay set. */
export function deployConfig(toml: string, { name, domain }: Target, databaseId: string): string {
  const [, own = ''] = /^name = "(.+)"$/m.exec(toml) ?? []
  const named = name === own ? toml : renameAll(toml, own, name)
  const route = domain === null ? '' : `\nroutes = [{ pattern = "${domain}", custom_domain = true }]`
  // No subscription may point at the relay itself.
  const hasVars = domain === null || /^\[vars\]$/m.test(toml)
  const vars = hasVars ? '' : `\n[vars]\nOWN_HOSTNAMES = "${domain}"\n`
  return named
    .replace(/^name = ".+"$/m, (line) => `${line}\nkeep_vars = true${route}`)
    .replace(/^database_id = ".*"$/m, `database_id = "${databaseId}"`)
    .concat(vars)
}

function renameAll(toml: string, own: string, name: string): string {
  return toml
    .replace(
      /^((?:name|database_name|bucket_name|queue|dead_letter_queue) = ")(.+)"$/gm,
      (_, start: string, each: string) => `${start}${renamedFrom(own, each, name)}"`,
    )
    .replace(/^namespace_id = ".*"$/m, `namespace_id = "${namespaceOf(name)}"`)
}

/** Everything that bears the relay's name bears the other one's. */
export function renamedFrom(own: string, each: string, name: string): string {
  return each === own || each.startsWith(`${own}-`) ? name + each.slice(own.length) : each
}

/** Rate limits of one namespace are shared by all Workers of the account that name it. */
function namespaceOf(name: string): number {
  return 10_000 + (createHash('sha256').update(name).digest().readUInt32BE() % 1_000_000_000)
}
