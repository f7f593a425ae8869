/** Listeners of a workspace at once. */
export const LISTENERS_MAX = 10
/** A listener that is not heard of for so long has ended. It is to call more often than that. */
export const LEASE_MS = 60_000

/** Bytes of a body in one message of the socket, which may hold no more than a mebibyte. */
export const CHUNK_BYTES = 384_000
/** What one request takes beside its body. */
export const REQUEST_BYTES = 65_536
/** Bytes of requests that a listener has in hand at once; further ones wait. */
export const IN_HAND_BYTES_MAX = 8_000_000
/** Bytes of all requests that one listener has in hand or that wait for it. */
export const BYTES_MAX = 32_000_000
/** Longest message of a listener: an answer's text beyond 65,536 bytes is not read in any case. */
export const MESSAGE_CHARS_MAX = 262_144
