import * as z from 'zod'

const count = z.int().nonnegative()
const counts = z.array(z.tuple([count, count])).max(20)
const rateUse = z.strictObject({ limit: z.int().positive(), counts })

/** One isolate's use of a subject's limits since its last report that was answered. */
const subjectUseSchema = z.strictObject({
  id: z.string().min(1).max(200),
  requests: rateUse.nullable(),
  events: rateUse.nullable(),
  /** Events accepted on a day by this isolate so far. */
  day: z.strictObject({ day: count, accepted: count }).nullable(),
})

/**
 * A report on the wire. It may come twice: counts are of whole seconds or of the whole day, so that the
 * same ones again change nothing. `stored` asks for the events accepted after a second.
 */
export const limiterCallSchema = z.strictObject({
  v: z.literal(1),
  isolate: z.string().min(1).max(100),
  nowMs: z.number().nonnegative(),
  subjects: z.array(subjectUseSchema).max(1_000),
  stored: z.strictObject({ counts, untilSecond: count }).nullable(),
})
export type LimiterCall = z.infer<typeof limiterCallSchema>
export type SubjectUse = z.infer<typeof subjectUseSchema>

const share = z.number().min(0).max(1).nullable()

/** The answer: the part of each rate that the isolate may use, and what the others have accepted. */
export const limiterReplySchema = z.strictObject({
  subjects: z.array(
    z.strictObject({
      id: z.string(),
      requests: share,
      events: share,
      othersToday: count.nullable(),
    }),
  ),
  stored: count.nullable(),
})
export type LimiterReply = z.infer<typeof limiterReplySchema>
