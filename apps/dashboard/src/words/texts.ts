import { isPortal } from '../api/workspace.ts'

/** A file of the operator's: what customers read instead of the English, and in which language. */
type Texts = { lang?: string; texts?: Readonly<Record<string, string>> }

/** Beside the assets; as it is delivered, it replaces nothing. */
const FILE = '/portal-texts.json'

// Awaited here, before any page is made: many texts are read as their modules are.
const { lang, texts = {} } = isPortal ? await readTexts() : {}
if (lang !== undefined) document.documentElement.lang = lang

/** A text as people read it. The build puts a call around each; `{0}` stands for the first value. */
export function text(english: string, values: readonly unknown[] = []): string {
  const chosen = Object.hasOwn(texts, english) ? (texts[english] ?? english) : english
  return values.length === 0
    ? chosen
    : chosen.replace(/\{(\d+)\}/g, (_, n: string) => String(values[Number(n)]))
}

/** A file that cannot be read is as good as none: the pages are there in English. */
async function readTexts(): Promise<Texts> {
  try {
    const response = await fetch(FILE)
    return response.ok ? ((await response.json()) as Texts) : {}
  } catch {
    return {}
  }
}
