type Request = { url: string; headers: Record<string, string> | null; body: string }

/** A command that makes the same request, but for what is masked in it. */
export function curlOf({ url, headers, body }: Request): string {
  const lines = [
    `curl -X POST ${quote(url)}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    `--data-raw ${quote(body)}`,
  ]
  return lines.join(' \\\n  ')
}

/** As shells take a text as it is. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
