import { expect, test } from 'vitest'
import { linesOf } from '../../../src/retention/archive/archive-format.ts'

const MEGABYTE = new TextEncoder().encode(' '.repeat(1_000_000))

/** An archive with a first line, a line of so many megabytes, and a last one. */
function archiveOf(megabytes: number): ReadableStream {
  let written = 0
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('first\n')),
    pull: (controller) => {
      if (written++ < megabytes) return controller.enqueue(MEGABYTE)
      controller.enqueue(new TextEncoder().encode('\nlast\n'))
      controller.close()
    },
  })
  return source.pipeThrough(new CompressionStream('gzip'))
}

async function lengthsOf(archive: ReadableStream): Promise<number[]> {
  const lengths: number[] = []
  for await (const { length } of linesOf(archive)) lengths.push(length)
  return lengths
}

test('lines are read as they were written, up to the longest that an archive has', async () => {
  expect(await lengthsOf(archiveOf(49))).toEqual([5, 49_000_000, 4])
})

test('a longer one is not kept in memory, however few bytes it came in', async () => {
  const lines = linesOf(archiveOf(1000))
  expect((await lines.next()).value).toBe('first')
  await expect(lines.next()).rejects.toThrow('longer than any')
})

test('a last line that was cut off is an error', async () => {
  const cut = new Blob(['first\nsec']).stream().pipeThrough(new CompressionStream('gzip'))
  await expect(lengthsOf(cut)).rejects.toThrow('cut off')
})
