import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './context.ts'

/** It changes only with a new version of the relay. */
const CACHE_CONTROL = 'public, max-age=300'

/** The OpenAPI 3.1 document of every mounted call, which is built once: that takes 40 ms. */
export class OpenApiDocument {
  readonly #app: OpenAPIHono<AppEnv>
  /** All but the first member, which names the host. */
  #text: string | null = null

  constructor(app: OpenAPIHono<AppEnv>) {
    this.#app = app
  }

  /** Answers with the document as it is under an origin. */
  answer(origin: string): Response {
    this.#text ??= JSON.stringify(documentOf(this.#app)).slice(1)
    return new Response(`{"servers":${JSON.stringify([{ url: origin }])},${this.#text}`, {
      headers: { 'Content-Type': 'application/json', 'Cache-Control': CACHE_CONTROL },
    })
  }
}

function documentOf(app: OpenAPIHono<AppEnv>): object {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Posthorn',
      version: '1',
      description:
        'Publish an event once; Posthorn delivers it to every subscription that wants it, and can say what happened.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
  })
  const components = {
    ...document.components,
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
  }
  return { ...document, components }
}
