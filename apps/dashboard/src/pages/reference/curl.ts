import type { ApiDocument, Call, Parameter } from './document.ts'

/** A request as it is typed into a shell. The key is a variable of the shell: none stands on this page. */
export function curlOf(document: ApiDocument, { method, path, operation }: Call, origin: string): string {
  const parameters = (operation.parameters ?? []).map((each) => document.resolve<Parameter>(each))
  const query = new URLSearchParams()
  let filled = path ?? ''
  for (const { name, in: place, example } of parameters) {
    if (example === undefined) continue
    if (place === 'path') filled = filled.replace(`{${name}}`, String(example))
    if (place === 'query') query.set(name, String(example))
  }
  const address = `${origin}${filled}${query.size > 0 ? `?${query}` : ''}`
  const body = operation.requestBody?.content['application/json']?.example
  const needsKey = operation.security.length > 0
  const isUsual = method === (body === undefined ? 'GET' : 'POST')
  const parts = [
    `curl -s ${isUsual ? '' : `-X ${method} `}${quoted(address)}`,
    ...(needsKey ? ['  -H "Authorization: Bearer $POSTHORN_KEY"'] : []),
    ...(body === undefined
      ? []
      : ["  -H 'Content-Type: application/json'", `  -d ${quoted(JSON.stringify(body))}`]),
  ]
  return parts.join(' \\\n')
}

function quoted(text: string): string {
  return /^[\w:/.%-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
