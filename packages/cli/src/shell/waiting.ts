import { Progress } from './progress.ts'
import type { Output, Shell } from './shell.ts'

/** Tells that a command waits for the relay, until it has something to say itself. */
export class Waiting {
  readonly #shell: Shell
  #progress: Progress | null = null

  constructor(shell: Shell) {
    this.#shell = shell
  }

  begin(url: string): void {
    this.#progress ??= new Progress(this.#shell, `Waiting for ${url}`)
  }

  end(): void {
    this.#progress?.end()
  }

  /** The shell for the command: all that is written or asked ends the waiting. */
  shell(): Shell {
    const { out, err, ask } = this.#shell
    const before = async <T>(work: () => Promise<T>): Promise<T> => {
      this.end()
      return await work()
    }
    const watched = (output: Output): Output => ({
      ...output,
      write: (text) => before(() => output.write(text)),
    })
    return {
      ...this.#shell,
      out: watched(out),
      err: watched(err),
      ask: ask && {
        confirm: (question) => before(() => ask.confirm(question)),
        text: (question, options) => before(() => ask.text(question, options)),
        secret: (question) => before(() => ask.secret(question)),
      },
    }
  }
}
