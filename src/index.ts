import { relayOf } from './deps.ts'
import { createApp } from './http/app.ts'
import { handleQueue } from './queue-handler.ts'
import { handleScheduled } from './scheduled-handler.ts'

export { Pacer } from './objects/pacer.ts'

const app = createApp(relayOf)

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  queue: (batch, env, context) => handleQueue(relayOf(env), batch, (work) => context.waitUntil(work)),
  scheduled: (controller, env) => handleScheduled(relayOf(env), controller),
} satisfies ExportedHandler<Env>
