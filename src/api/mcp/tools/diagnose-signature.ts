import * as z from 'zod'
import { defineTool } from '../tool.ts'

/** Finds out why a receiver does not believe a request, as `POST /verify` does. */
export const diagnoseSignature = defineTool(
  {
    name: 'diagnose_signature',
    title: 'Find out why a signature does not verify',
    description:
      'Says which check a received request fails and the likely reason, such as a body that was printed anew or another secret. Give the headers and the body as the receiver saw them. Naming a subscription needs the scope webhooks:read.',
    scope: 'any',
    input: z.strictObject({
      headers: z.record(z.string(), z.string()).describe('As the receiver saw them'),
      body: z.string().optional().describe('The body as text'),
      bodyBase64: z.string().optional().describe('The body as bytes, instead of body'),
      subscription: z.string().optional().describe('The subscription that it should come from'),
      secret: z.string().optional().describe('The secret that the receiver has'),
      signature: z.string().optional().describe('What the receiver itself has computed'),
      receivedAt: z.string().optional().describe('ISO 8601 time of the receiver’s clock'),
    }),
  },
  async (call, { subscription, ...received }) => {
    const body = { ...received, ...(subscription !== undefined && { webhookId: subscription }) }
    const { data } = await call('POST', '/verify', { body })
    const { message, advice } = data as { message: string; advice: string | null }
    return { text: [message, advice ?? ''].join(' ').trim(), data: data as Record<string, unknown> }
  },
)
