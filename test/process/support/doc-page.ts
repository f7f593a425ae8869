import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../../..')

/** Commands of a page, and the answer it shows below them; null where it shows none. */
export type Shown = { line: number; commands: string; answer: string | null }

/** The blocks of a page that talk to a relay, in order. Other commands, such as `npm ci`, are not run. */
export function readPage(file: string): Shown[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? '',
    content: match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length,
    section: text.slice(0, match.index).split(/^#+ /m).length,
  }))
  return blocks.flatMap(({ language, content, line, section }, at) => {
    if (language !== 'sh' || !/curl -s|^H=/m.test(content)) return []
    const next = blocks[at + 1]
    const isAnswered = content.includes('curl') && next?.language === 'json' && next.section === section
    const answer = isAnswered ? next.content : null
    return [{ line, commands: content, answer }]
  })
}

const END = '\u001e'

/** One shell, in which variables stay from block to block, as for somebody who pastes a page into a terminal. */
export class Shell {
  readonly #process: ChildProcess
  #output = ''
  #told = Promise.withResolvers<void>()

  constructor() {
    this.#process = spawn('bash', ['--noprofile', '--norc'], { cwd: ROOT, stdio: 'pipe' })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        if (this.#output.includes(END)) this.#told.resolve()
      })
    }
    this.#process.once('exit', () => this.#told.resolve())
  }

  /** What some commands print, both streams together. */
  async run(commands: string): Promise<string> {
    this.#output = ''
    this.#told = Promise.withResolvers<void>()
    this.#process.stdin?.write(`${commands}\nprintf '\\036'\n`)
    await this.#told.promise
    return this.#output.split(END)[0]?.trim() ?? ''
  }

  close(): void {
    this.#process.kill()
  }
}

/** Numbers of milliseconds. */
const TIMINGS = /^(responseTime|averageResponseTime|sweepAgeSeconds|p\d\d)$/

/**
 * Holds an answer against the one a page shows. One on a single line is shown in full; one on several lines is
 * shortened, and what it shows has to be there. `…` in a text stands for anything.
 */
export function expectShown(given: unknown, shown: string): void {
  const wanted: unknown = steady(JSON.parse(shown))
  const actual = steady(given)
  if (shown.trim().includes('\n')) expect(actual).toMatchObject(wanted as object)
  else expect(actual).toEqual(wanted)
}

/** A value without what differs from run to run. */
function steady(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return steadyText(value, name)
  if (typeof value === 'number') return TIMINGS.test(name) ? 'ms' : value
  if (Array.isArray(value)) return value.map((each) => steady(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, steady(each, key)]))
}

const VARYING: [RegExp, string][] = [
  [/\b(evt|log|attempt|webhook|dispatch|batch|req)_[0-9a-z]{16,}/g, '$1_'],
  [/\bwh(sec|pk)_[A-Za-z0-9+/=]{40,}/g, 'wh$1_'],
  [/\bin \d+ ms\b/g, 'in ms'],
  [/\b\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z/g, 'TIME'],
  [/\b(v1a?),[A-Za-z0-9+/]{40,}=*/g, '$1,'],
  [/\b(sha256|v1|s)=[0-9a-f]{64}/g, '$1='],
  [/\b1[78]\d{8}\b/g, 'SECONDS'],
]

function steadyText(text: string, name: string): unknown {
  if (name === 'nextCursor') return 'cursor'
  if (name === 'x') return 'public key'
  const known = VARYING.reduce((all, [varying, instead]) => all.replace(varying, instead), text)
  if (!known.includes('…')) return known
  const parts = known.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return expect.stringMatching(new RegExp(`^${parts.join('.*')}$`, 's'))
}
