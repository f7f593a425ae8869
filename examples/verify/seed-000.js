// Seed 000 in its own words: "Extract timestamp. Concatenate: timestamp.payload. Recompute signature using a shared
// secret. Compare using constant-time equality." While a secret changes, the header holds a v1 for each.
const crypto = require('node:crypto')

function verifyLedgerlySignature(payload, header, secret) {
  const items = header.split(',').map((item) => item.split('='))
  const [, timestamp] = items.find(([name]) => name === 't') ?? []
  const signatures = items.filter(([name]) => name === 'v1').map(([, value]) => Buffer.from(value ?? ''))

  const hmac = crypto.createHmac('sha256', secret).update(`${timestamp}.`).update(payload)
  const expected = Buffer.from(hmac.digest('hex'))

  return signatures.some(
    (signature) => signature.length === expected.length && crypto.timingSafeEqual(signature, expected),
  )
}

module.exports = { verifyLedgerlySignature }
