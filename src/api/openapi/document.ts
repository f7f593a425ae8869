import { VERSION } from '../../deliver/attempt/request.ts'
import type { Route } from '../define-route.ts'
import { paginationSchema } from '../paging.ts'
import { describeOperation, WORKSPACE_PARAMETER } from './operation.ts'
import { outsidePaths } from './outside.ts'
import { RECEIVED_TAG, receivedWebhooks } from './receivers.ts'
import { headerComponents, refusalComponents } from './refusals.ts'
import { SchemaWriter } from './schemas.ts'

/** It changes only with a new version of the relay. */
const CACHE_CONTROL = 'public, max-age=300'

/** The OpenAPI 3.1 document, which is built once: that takes tens of milliseconds. */
export class OpenApiDocument {
  readonly #build: () => object
  /** All but the first member, which names the host. */
  #text: string | null = null

  constructor(build: () => object) {
    this.#build = build
  }

  /** Answers with the document as it is under an origin. */
  answer(origin: string): Response {
    this.#text ??= JSON.stringify(this.#build()).slice(1)
    return new Response(`{"servers":${JSON.stringify([{ url: origin }])},${this.#text}`, {
      headers: { 'Content-Type': 'application/json', 'Cache-Control': CACHE_CONTROL },
    })
  }
}

/** Describes all calls of the API and the few beside it; the servers are left to the answer. */
export function describeApi(routes: readonly Route[]): object {
  const schemas = new SchemaWriter()
  schemas.write(paginationSchema, 'output')
  const own = routes.flatMap(({ definition }) => definition.refusals)
  const responses = refusalComponents(own, schemas)
  const paths = { ...apiPaths(routes, schemas), ...outsidePaths(schemas) }
  const webhooks = receivedWebhooks(schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Posthorn',
      version: VERSION,
      description:
        'Publish an event once; Posthorn delivers it to every subscription that wants it, and can say what happened.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    tags: tagsOf(routes),
    paths,
    webhooks,
    components: {
      schemas: schemas.components,
      responses,
      headers: headerComponents,
      parameters: { Workspace: WORKSPACE_PARAMETER },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key; calls name the scope that it needs' },
      },
    },
  }
}

function apiPaths(routes: readonly Route[], schemas: SchemaWriter): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const { definition } of routes) {
    const path = `/api/v1${definition.path}`
    paths[path] = { ...paths[path], [definition.method]: describeOperation(definition, schemas) }
  }
  return paths
}

const TAGS: Readonly<Record<string, string>> = {
  Events: 'What publishers say has happened, and who is to be told of it',
  Subscriptions: 'Which events go to which URL, in which form',
  Deliveries: 'Every attempt to send an event to a subscription, and what came of it',
  Listeners: 'Deliveries to a machine that no URL reaches, such as a laptop',
  Diagnosis: 'Why a receiver is not reached, or refuses a signature',
  'Event types': 'The catalogue: what events there are, with schema and example',
  Workspaces: 'Tenants, their settings and limits',
  Keys: 'Who may call, and what: keys, portal tokens',
  'Audit log': 'Who has changed what, in a chain that can be verified',
  Replays: 'Past deliveries, made once more',
  Archives: 'Purged events, kept in files',
  Operations: 'How the relay itself is',
  [RECEIVED_TAG]: 'The requests that subscriptions get, by profile',
}

function tagsOf(routes: readonly Route[]): { name: string; description?: string }[] {
  const names = new Set([...routes.map(({ definition }) => definition.tag), RECEIVED_TAG])
  return [...names].map((name) => {
    const description = TAGS[name]
    return { name, ...(description !== undefined && { description }) }
  })
}
