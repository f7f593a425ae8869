import * as z from 'zod'
import { isRecord } from './value.ts'

/**
 * An object with names of the caller's choice. `z.record` drops `__proto__` silently and says of a
 * bad name only that it is bad; this refuses both by path, with the name schema's message.
 */
export function namedRecord<V extends z.ZodType>(
  nameSchema: z.ZodType<string>,
  valueSchema: V,
  size: { max: number; message: string },
) {
  return z
    .custom<Record<string, z.infer<V>>>(isRecord, 'must be an object')
    .superRefine((record, context) => {
      const entries = Object.entries(record)
      if (entries.length > size.max) {
        context.addIssue({ code: 'custom', message: size.message })
        return
      }
      for (const [name, value] of entries) {
        const issues =
          name === '__proto__' ? [PROTO_ISSUE] : issuesOf({ nameSchema, valueSchema }, name, value)
        for (const issue of issues) {
          context.issues.push({ ...issue, path: [name, ...issue.path] } as z.core.$ZodRawIssue)
        }
      }
    })
    .meta({ like: z.record(z.string(), valueSchema) })
}

const PROTO_ISSUE: z.core.$ZodIssue = { code: 'custom', path: [], message: '"__proto__" cannot be a name' }

function issuesOf(
  { nameSchema, valueSchema }: { nameSchema: z.ZodType; valueSchema: z.ZodType },
  name: string,
  value: unknown,
) {
  const named = nameSchema.safeParse(name)
  if (!named.success) return named.error.issues.slice(0, 1)
  return valueSchema.safeParse(value).error?.issues ?? []
}
