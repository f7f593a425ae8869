const STEP = '  '
/** Strings whole, then single marks, then what stands between them. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** Indents JSON without reading its values: numbers and strings stand as they were. Null for a text that is no JSON. */
export function indentJson(text: string): string | null {
  if (!isJson(text)) return null
  let indented = ''
  let depth = 0
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (isEnd(token)) depth--
    if (beginsLine(token, previous)) indented += `\n${STEP.repeat(depth)}`
    indented += token === ':' ? ': ' : token
    if (isStart(token)) depth++
    previous = token
  }
  return indented
}

/** Empty lists and objects stay on their line. */
function beginsLine(token: string, previous: string): boolean {
  return isEnd(token) ? !isStart(previous) : isStart(previous) || previous === ','
}

function isStart(token: string): boolean {
  return token === '{' || token === '['
}

function isEnd(token: string): boolean {
  return token === '}' || token === ']'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
