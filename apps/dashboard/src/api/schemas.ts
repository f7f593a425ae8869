import type { components } from 'posthorn/openapi'

/** What the API answers with, by the names of its document. */
export type Schemas = components['schemas']
