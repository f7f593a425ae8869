const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const CONTENT_TYPE = new RegExp(
  `^(${TOKEN}/${TOKEN})(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[ !#-\\[\\]-~]*"))*$`,
)
const CHARSET = /;[ \t]*charset="?([^";\s]*)/i
const CONTENT_TYPE_LENGTH_MAX = 200

/** Says which `transform.contentType` a subscription may have. */
export const CONTENT_TYPES_HINT =
  'must be application/json, a type ending in +json, application/x-www-form-urlencoded, text/*, application/xml or a type ending in +xml; parameters such as "; charset=utf-8" may follow'

/** The content type of every payload that no template has given another. */
export const JSON_TYPE = 'application/json'

/** The format in which a template is written out. */
export type OutputFormat = 'json' | 'form' | 'text'

/**
 * The format of a content type; null where Posthorn cannot send it, since it sends UTF-8 text of
 * known kinds.
 */
export function outputFormat(contentType: string): OutputFormat | null {
  const match = contentType.length <= CONTENT_TYPE_LENGTH_MAX ? CONTENT_TYPE.exec(contentType) : null
  const charset = CHARSET.exec(contentType)?.[1] ?? 'utf-8'
  const essence = match?.[1]?.toLowerCase()
  if (essence === undefined || charset.toLowerCase() !== 'utf-8') return null
  if (essence === JSON_TYPE || essence.endsWith('+json')) return 'json'
  if (essence === 'application/x-www-form-urlencoded') return 'form'
  if (essence.startsWith('text/') || essence === 'application/xml' || essence.endsWith('+xml')) return 'text'
  return null
}

/** True for `application/json` and every type that ends in `+json`. */
export function isJsonContentType(contentType: string): boolean {
  return outputFormat(contentType) === 'json'
}
