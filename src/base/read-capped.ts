/**
 * Reads a body's text up to a number of bytes and abandons the rest. Bytes that come once
 * `charsMax` characters are there are counted, not decoded.
 */
export async function readCapped(
  body: ReadableStream<Uint8Array>,
  { bytesMax, charsMax = Number.POSITIVE_INFINITY }: { bytesMax: number; charsMax?: number },
): Promise<{ text: string; isWhole: boolean }> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { text: text + decoder.decode(), isWhole: true }
    bytes += value.byteLength
    if (text.length < charsMax) text += decoder.decode(value, { stream: true })
    if (bytes > bytesMax) {
      await reader.cancel()
      return { text, isWhole: false }
    }
  }
}
