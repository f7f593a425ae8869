import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import type { Preview } from '../../../deliver/attempt/preview.ts'
import { maskHeaders } from '../../../shape/headers.ts'

const previewShape = {
  event: z.string(),
  matches: z.boolean(),
  reason: z.string().nullable().describe('Why the event would not be delivered'),
  explanation: z.string().nullable(),
  rules: z
    .array(z.object({ rule: z.string(), reason: z.string(), message: z.string() }))
    .describe('The filters and conditions that refuse the event'),
  request: z
    .object({
      method: z.literal('POST'),
      url: z.string(),
      headers: z.record(z.string(), z.string()).describe('Credentials masked'),
      body: z.string(),
    })
    .nullable()
    .describe('What would be sent, to the byte but for the signatures: see `signedWith`'),
  signedWith: z
    .object({ secret: z.string(), previousSecret: z.string().nullable(), publicKeys: z.array(z.string()) })
    .nullable()
    .describe(
      "Keys made for this preview, which its receiver refuses; null where a draft's own secret signs",
    ),
  failure: z
    .object({ error: z.string(), message: z.string() })
    .nullable()
    .describe('What would keep the request from being made'),
}

/** A preview as the API shows it. */
export const previewAnswerSchema = z.object(previewShape).meta({ id: 'Preview' })

/** Shows a preview; headers that promise a credential are masked; signatures are those of `signedWith`. */
export function previewAnswer(type: string, shown: Preview): z.infer<typeof previewAnswerSchema> {
  const { refusal, request } = shown
  return {
    event: type,
    matches: refusal === null,
    reason: refusal?.reason ?? null,
    explanation: refusal?.explanation ?? null,
    rules: refusal?.rules ?? [],
    request:
      request.kind === 'request'
        ? {
            method: 'POST',
            url: maskUrl(request.url),
            headers: maskOwn(request.headers, request.credentials.headers),
            body: request.body,
          }
        : null,
    signedWith: shown.signedWith,
    failure: request.kind === 'failure' ? { error: request.fault, message: request.message } : null,
  }
}

/** Masks the subscription's own headers, of which auth and signatures have replaced some. */
export function maskOwn(sent: Record<string, string>, own: Record<string, string>): Record<string, string> {
  const masked = maskHeaders(own)
  const shown = Object.entries(sent).map(([name, value]) => [
    name,
    own[name] === value ? masked[name] : value,
  ])
  return Object.fromEntries(shown) as Record<string, string>
}
