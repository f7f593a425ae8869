/** Longest life of one stream: its listener comes back, and a request has no more than fifty calls on a free plan. */
export const STREAM_MS_MAX = 300_000
/** Time between two looks at the caller's credential. */
export const RECHECK_MS = 15_000
/** Consumers tell a workspace's hub so long after somebody listened: one who comes back has missed nothing. */
export const TELL_MS = 60_000

/** Bytes that may wait for a listener who reads slowly. */
export const LISTENER_BYTES_MAX = 262_144
