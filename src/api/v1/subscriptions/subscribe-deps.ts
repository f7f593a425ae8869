import type { Relay } from '../../../relay.ts'
import type { SubscribeDeps } from '../../../subscription/change.ts'

/** What changes to subscriptions need. The relay's own names are the configured ones and the one it was called by. */
export function subscribeDeps(relay: Relay, requestUrl: URL): SubscribeDeps {
  const { settings, env, vault, now } = relay
  return {
    db: env.DB,
    vault,
    now,
    rules: {
      allowPrivate: settings.allowPrivateDestinations,
      ownHostnames: settings.allowPrivateDestinations
        ? settings.ownHostnames
        : [...settings.ownHostnames, requestUrl.hostname],
    },
  }
}
