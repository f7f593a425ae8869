import { createApp } from './api/app.ts'
import { handleQueue } from './queue.ts'
import { provenRelayOf } from './relay.ts'
import { handleScheduled } from './scheduled.ts'

export { Limiter } from './limits/limiter/object.ts'
export { ListenSession } from './listen/session/object.ts'
export { Pacer } from './pacing/pacer/object.ts'
export { StreamHub } from './stream/hub/object.ts'

const app = createApp(provenRelayOf)

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  queue: async (batch, env, context) =>
    await handleQueue(await provenRelayOf(env), batch, (work) => context.waitUntil(work)),
  scheduled: async (controller, env) => await handleScheduled(await provenRelayOf(env), controller),
} satisfies ExportedHandler<Env>
