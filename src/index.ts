import { createApp } from './api/app.ts'
import { handleQueue } from './queue.ts'
import { relayOf } from './relay.ts'
import { handleScheduled } from './scheduled.ts'

export { Pacer } from './pacing/pacer/object.ts'

const app = createApp(relayOf)

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  queue: (batch, env, context) => handleQueue(relayOf(env), batch, (work) => context.waitUntil(work)),
  scheduled: (controller, env) => handleScheduled(relayOf(env), controller),
} satisfies ExportedHandler<Env>
