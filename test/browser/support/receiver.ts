import { afterAll } from 'vitest'
import { Receiver } from '../../support/receivers/receiver.ts'

/** To be called once in each file: starts a receiver, which is closed after the file's tests. */
export async function openReceiver(): Promise<Receiver> {
  const receiver = await Receiver.start()
  afterAll(async () => {
    await receiver.close()
  })
  return receiver
}
