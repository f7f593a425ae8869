const SCHEME = 'listener:'

/** The address of a temporary subscription, whose deliveries go to the one who listens under its id. */
export function listenerAddress(id: string): string {
  return SCHEME + id
}

/** True for the address of a listener: no caller can give one, as none is http. */
export function isListenerAddress(url: string): boolean {
  return url.startsWith(SCHEME)
}
