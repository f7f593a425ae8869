import { z } from 'zod'

const HINT = 'must be 1-64 characters without control characters, such as "v1" or "2026-11-01"'

/** `api_version` of events, workspaces and subscriptions: a label that receivers compare. */
export const apiVersionSchema = z
  .string(HINT)
  .min(1, HINT)
  .max(64, HINT)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), HINT)
