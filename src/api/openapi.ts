import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './context.ts'

/** The OpenAPI 3.1 document of every mounted call. */
export function openApiDocument(app: OpenAPIHono<AppEnv>, origin: string): object {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Posthorn',
      version: '1',
      description:
        'Publish an event once; Posthorn delivers it to every subscription that wants it, and can say what happened.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: origin }],
  })
  const components = {
    ...document.components,
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
  }
  return { ...document, components }
}
