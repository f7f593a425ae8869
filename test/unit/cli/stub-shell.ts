/// <reference types="node" />
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Interrupted } from '../../../packages/cli/src/failure/failure.ts'
import { run } from '../../../packages/cli/src/run.ts'
import type { Ask, Output, Shell } from '../../../packages/cli/src/shell/shell.ts'

export type Ended = { code: number; out: string; err: string }
type Options = {
  env?: Record<string, string>
  stdin?: string
  /** Answers to what is asked, in turn; a shell without them cannot ask. */
  answers?: (string | boolean)[]
  columns?: number
  hasColour?: boolean
  /** Called with what is written to standard output. */
  onOut?: (text: string, shell: StubShell) => void
}

/** A shell in memory, with a configuration folder of its own. */
export class StubShell {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'posthorn-cli-'))
  readonly asked: string[] = []
  readonly #controller = new AbortController()
  readonly #options: Options
  #out = ''
  #err = ''
  isClosed = false

  constructor(options: Options = {}) {
    this.#options = options
  }

  /** Runs a command; its output is that of this command alone. */
  async run(...args: string[]): Promise<Ended> {
    this.#out = ''
    this.#err = ''
    const code = await run(args, this.shell())
    return { code, out: this.#out, err: this.#err }
  }

  interrupt(): void {
    this.#controller.abort(new Interrupted())
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  shell(): Shell {
    const { env = {}, stdin, answers } = this.#options
    const out = (text: string) => {
      this.#out += text
      this.#options.onOut?.(text, this)
    }
    return {
      env: { XDG_CONFIG_HOME: this.folder, ...env },
      out: this.#output(out),
      err: this.#output((text) => {
        this.#err += text
      }),
      ask: answers === undefined ? null : this.#ask(answers),
      signal: this.#controller.signal,
      lendCtrlC: (work) => work(),
      readStdin: () => (stdin === undefined ? null : Promise.resolve(new TextEncoder().encode(stdin))),
      nowMs: Date.now,
    }
  }

  #output(take: (text: string) => void): Output {
    const { columns, hasColour = false } = this.#options
    return {
      isTerminal: columns !== undefined,
      columns: () => columns ?? Number.POSITIVE_INFINITY,
      hasColour,
      write: async (text) => {
        if (!this.isClosed) take(text)
      },
      isClosed: () => this.isClosed,
    }
  }

  #ask(answers: (string | boolean)[]): Ask {
    const next = async <T>(question: string): Promise<T> => {
      this.asked.push(question)
      const answer = answers.shift()
      if (answer === undefined) throw new Interrupted()
      return answer as T
    }
    return { confirm: next, text: next, secret: next }
  }
}
