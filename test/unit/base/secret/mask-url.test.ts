import { describe, expect, test } from 'vitest'
import { maskUrl } from '../../../../src/base/secret/mask-url.ts'

describe('a URL that is itself a credential shows what it is for, and no more', () => {
  test.each([
    ['https://hooks.slack.com/services/T01/B02/abcDEF', 'https://hooks.slack.com/services/T01/B02/********'],
    ['https://discord.com/api/webhooks/42/to-ken', 'https://discord.com/api/webhooks/42/********'],
    [
      'https://ptb.discord.com/api/webhooks/42/to-ken/slack?wait=true',
      'https://ptb.discord.com/api/webhooks/42/********?wait=true',
    ],
    [
      'https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d',
      'https://acme.webhook.office.com/webhookb2/********',
    ],
    ['https://hooks.zapier.com/hooks/catch/123/abc/', 'https://hooks.zapier.com/hooks/catch/123/********'],
    ['https://maker.ifttt.com/trigger/paid/with/key/abc', 'https://maker.ifttt.com/trigger/paid/********'],
    ['https://hook.eu1.make.com/abcdef', 'https://hook.eu1.make.com/********'],
    ['https://api.telegram.org/bot123:abc/sendMessage', 'https://api.telegram.org/********'],
    [
      'https://events.pagerduty.com/integration/abc/enqueue',
      'https://events.pagerduty.com/integration/********',
    ],
    [
      'https://chat.googleapis.com/v1/spaces/A/messages?key=abc&token=def%3D',
      'https://chat.googleapis.com/v1/spaces/A/messages?key=********&token=********',
    ],
    [
      'https://x.logic.azure.com/workflows/1/run?api-version=1&sig=abc',
      'https://x.logic.azure.com/workflows/1/run?api-version=1&sig=********',
    ],
    [
      'https://a.example.com/h?access_token=1&apiKey=2&X-Amz-Signature=3',
      'https://a.example.com/h?access_token=********&apiKey=********&X-Amz-Signature=********',
    ],
  ])('%s', (url, shown) => {
    expect(maskUrl(url)).toBe(shown)
    expect(maskUrl(shown)).toBe(shown)
  })
})

describe('any other is shown as it is', () => {
  test.each([
    'https://your-app.com/webhooks/bigledger',
    'https://your-app.com/hooks?page=2&keyboard=de&author=me&tokens_left=3&monkey=1&token=',
    'HTTPS://Your-App.COM/services/T/B/x',
    'https://hooks.slack.com.example.org/services/T/B/x',
    'https://hooks.slack.com/services/T/B',
    'not a url',
  ])('%s', (url) => {
    expect(maskUrl(url)).toBe(url)
  })
})
