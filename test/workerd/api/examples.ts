/// <reference types="vite/client" />

const texts = import.meta.glob<string>('../../../examples/events/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The seeds' event examples as they stand: file name and text. */
export const EXAMPLES: [string, string][] = Object.entries(texts).map(([path, text]) => [
  path.split('/').at(-1) ?? path,
  text,
])
