// What seed 003 says of its classes, in code: WebhookSignature.sign returns "sha256={hash}" of the payload, and
// WebhookVerifier.verify compares a received signature with it.
const crypto = require('node:crypto')

const WebhookSignature = {
  sign(payload, secret) {
    return `sha256=${crypto.createHmac('sha256', secret).update(payload).digest('hex')}`
  },
}

class WebhookVerifier {
  verify(body, signature, secret) {
    const expected = Buffer.from(WebhookSignature.sign(body, secret))
    const received = Buffer.from(signature)
    return received.length === expected.length && crypto.timingSafeEqual(received, expected)
  }
}

module.exports = { WebhookSignature, WebhookVerifier }
