import { expect } from 'vitest'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }

/** Answers of seed 002, as it prints them. */
export const SUBSCRIPTION = {
  id: 'webhook_123456789',
  url: 'https://your-app.com/webhooks/bigledger',
  events: ['invoice.created', 'invoice.paid'],
  secret: 'your-secret-key',
  description: 'Main webhook for invoice and payment events',
  active: true,
  createdAt: '2024-01-15T10:30:00Z',
  statistics: { totalDelivered: 0, totalFailed: 0, lastDelivery: null },
}
export const STATISTICS = {
  totalDelivered: 1234,
  totalFailed: 12,
  successRate: 99.03,
  lastDelivery: '2024-01-15T10:30:00Z',
  averageResponseTime: 245,
  recentDeliveries: [
    {
      eventId: 'evt_123',
      event: 'invoice.paid',
      deliveredAt: '2024-01-15T10:30:00Z',
      responseCode: 200,
      responseTime: 156,
    },
  ],
}
export const SUCCESS_ROW = {
  id: 'log_123456789',
  eventId: 'evt_987654321',
  event: 'invoice.paid',
  deliveredAt: '2024-01-15T10:30:00Z',
  responseCode: 200,
  responseTime: 234,
  responseBody: 'Event processed successfully',
  retryCount: 0,
  status: 'success',
}
export const FAILED_ROW = {
  id: 'log_123456790',
  eventId: 'evt_987654322',
  event: 'payment.received',
  deliveredAt: '2024-01-15T10:32:00Z',
  responseCode: 500,
  responseTime: 5000,
  responseBody: 'Internal server error',
  retryCount: 2,
  status: 'failed',
  nextRetryAt: '2024-01-15T10:42:00Z',
}

/** The calls seed 002 writes out in full. */
export const CURLS = [
  `curl -X POST "https://api.bigledger.com/v1/webhooks/subscribe" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "X-Company-Id: YOUR_COMPANY_ID" \\
  -H "Content-Type: application/json" \\
  -d '{
    "url": "https://your-app.com/webhooks/bigledger",
    "events": ["invoice.created", "invoice.paid"],
    "secret": "your-secret-key"
  }'
`,
  `curl -X GET "https://api.bigledger.com/v1/webhooks" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "X-Company-Id: YOUR_COMPANY_ID"
`,
  `curl -X POST "https://api.bigledger.com/v1/webhooks/subscribe" \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "X-Company-Id: YOUR_COMPANY_ID" \\
  -H "Content-Type: application/json" \\
  -d '{
    "url": "https://abc123.ngrok.io/webhooks/bigledger",
    "events": ["invoice.created"]
  }'
`,
]

/** Every field of the example is there, of the same kind; there may be more. */
export function expectShape(actual: Json | undefined, example: Json, at = 'data'): void {
  if (Array.isArray(example)) {
    expect(actual, at).toBeInstanceOf(Array)
    for (const item of actual as Json[]) expectShape(item, example[0] ?? null, `${at}[]`)
  } else if (example !== null && typeof example === 'object') {
    expect(actual, at).toBeTypeOf('object')
    for (const [name, value] of Object.entries(example)) {
      expectShape((actual as JsonObject)[name], value, `${at}.${name}`)
    }
  } else {
    expect(kindOf(actual), at).toBe(kindOf(example))
  }
}

function kindOf(value: Json | undefined): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(value)) return 'time'
  return /^(webhook|log|evt)_(?=.)/.exec(value)?.[0] ?? 'string'
}
