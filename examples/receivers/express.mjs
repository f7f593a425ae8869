// A receiver with Express and the standardwebhooks library.
//   npm install express standardwebhooks
//   SECRET=… PORT=3000 node express.mjs
import express from 'express'
import { Webhook } from 'standardwebhooks'

const { SECRET, PORT = '3000' } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

// The library takes whsec_ + base64; the key of a secret without that prefix is its text.
const webhook = SECRET.startsWith('whsec_')
  ? new Webhook(SECRET)
  : new Webhook(Buffer.from(SECRET), { format: 'raw' })
const app = express()

// raw(), not json(): the signature is over the bytes as they came.
app.post('/webhooks/bigledger', express.raw({ type: 'application/json', limit: '11mb' }), (req, res) => {
  try {
    const event = webhook.verify(req.body, req.headers)
    process.stdout.write(`Received ${event.event} ${event.id}\n`)
    res.send('Event processed successfully')
  } catch {
    res.status(401).send('Invalid signature')
  }
})

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`)
})
