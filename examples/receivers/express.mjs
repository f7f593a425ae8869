// A receiver with Express and the standardwebhooks library: reads batches, drops repetitions.
//   npm install express standardwebhooks
//   SECRET=… PORT=3000 node express.mjs
import { appendFileSync } from 'node:fs'
import express from 'express'
import { Webhook } from 'standardwebhooks'

const { SECRET, PORT = '3000', INBOX } = process.env
if (!SECRET) throw new Error('Set SECRET to the secret of your subscription.')

// The library takes whsec_ + base64; the key of a secret without that prefix is its text.
const webhook = SECRET.startsWith('whsec_')
  ? new Webhook(SECRET)
  : new Webhook(Buffer.from(SECRET), { format: 'raw' })
/** Ids of events whose work is done. In earnest: a unique column, written in the transaction of your work. */
const handled = new Set()
const app = express()

// raw(), not json(): the signature is over the bytes as they came.
app.post('/webhooks/bigledger', express.raw({ type: '*/*', limit: '11mb' }), (req, res) => {
  let payload
  try {
    payload = webhook.verify(req.body, req.headers)
  } catch {
    return res.status(401).send('Invalid signature')
  }
  try {
    handle(payload, req.headers['webhook-id'])
  } catch (error) {
    process.stderr.write(`Not done: ${error}\n`)
    return res.status(500).send('Not done, try again')
  }
  return res.send('Event processed successfully')
})

/** Does the work of every event that is not done yet. What fails is tried again with the next attempt. */
function handle(payload, deliveryId) {
  // A subscription with `batchSettings` gets several events in one request.
  const isBatch = payload.batch === true
  for (const event of isBatch ? payload.events : [payload]) {
    const id = isBatch ? event.id : deliveryId
    if (handled.has(id)) continue
    work(event)
    // Not before the work: an id kept by work that failed would make its repetition look done.
    handled.add(id)
  }
}

/** Your work: here a line on the terminal, or in the file INBOX. It throws when it could not be done. */
function work(event) {
  const line = `Received ${event.event} ${event.id}\n`
  if (INBOX) appendFileSync(INBOX, line)
  else process.stdout.write(line)
}

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`)
})
