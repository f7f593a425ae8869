import type { Log } from '../base/log.ts'
import { type HubNamespace, StreamHubs } from './client.ts'
import { OpenStreams } from './open-streams.ts'

/** The streams of one isolate: the hubs of all workspaces, and those streams that it has open. */
export type IsolateStreams = { hubs: StreamHubs; open: OpenStreams }

export function isolateStreams(namespace: HubNamespace, log: Log): IsolateStreams {
  return { hubs: new StreamHubs(namespace, log), open: new OpenStreams() }
}
