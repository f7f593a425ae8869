import { stringify } from 'yaml'

/** Writes a value as YAML. */
export function renderYaml(value: unknown): string {
  // The library quotes what has these signs, but leaves them as they are; some terminals obey them.
  return stringify(value, { lineWidth: 100 }).replaceAll(
    /[\x7f-\x9f]/g,
    (sign) => `\\x${sign.charCodeAt(0).toString(16)}`,
  )
}
