export const LOGS = [
  { value: 'workspace', label: 'This workspace' },
  { value: 'relay', label: 'The whole relay' },
] as const

/** The log of a workspace, or that of what belongs to none. */
export type Log = (typeof LOGS)[number]['value']

export function logOf(value: string | undefined | null): Log {
  return value === 'relay' ? 'relay' : 'workspace'
}
