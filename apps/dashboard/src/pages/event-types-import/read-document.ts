/** Reads a document as JSON text. What is no JSON is read as YAML, whose reader is loaded for it. */
export async function readDocument(text: string): Promise<string> {
  if (isJson(text)) return text
  const { parse } = await import('yaml')
  const document: unknown = parse(text, { maxAliasCount: 100 })
  if (typeof document !== 'object' || document === null)
    throw new Error('This is neither JSON nor YAML of a document.')
  return JSON.stringify(document)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
