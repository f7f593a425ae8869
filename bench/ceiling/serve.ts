/**
 * Serves `worker.mjs` with Miniflare on 127.0.0.1:PORT, the way the relay itself is served locally: on the Worker's
 * direct socket, with outbound requests that bypass Miniflare's interceptor.
 */
import { readFileSync } from 'node:fs'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: '127.0.0.1',
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: true,
    script: readFileSync(new URL('worker.mjs', import.meta.url), 'utf8'),
    compatibilityDate: '2026-11-01',
    serviceBindings: { EGRESS: { network: { allow: ['public', 'private'] } } },
    unsafeDirectSockets: [{ host: '127.0.0.1', port: Number(process.env.PORT ?? 8791) }],
  }),
)
await miniflare.ready
