import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { EXIT_CODES } from '../../../packages/cli/src/failure/exit-codes.ts'
import { makeProgram } from '../../../packages/cli/src/program.ts'
import { StubShell } from './stub-shell.ts'

type Command = ReturnType<typeof makeProgram>

const ROOT = path.resolve(import.meta.dirname, '../../..')
const PAGE = readFileSync(path.join(ROOT, 'docs/command-line.md'), 'utf8')

/** A program whose commands do nothing. */
function idleProgram(shell: StubShell): Command {
  const program = makeProgram(shell.shell())
  const calm = (command: Command) => {
    if (command.commands.length === 0) command.action(() => undefined)
    for (const each of command.commands) calm(each)
  }
  calm(program)
  return program
}

/** The arguments of a command as a shell reads them, up to a comment, a pipe or a redirection. */
function argumentsOf(line: string): string[] {
  const [, rest = ''] = /^(?:npx )?posthorn ?(.*)$/.exec(line) ?? []
  const words = rest.match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  const end = words.findIndex((word) => /^(?:#|[|<>&;]|\\$)/.test(word))
  return words.slice(0, end === -1 ? undefined : end).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'))
}

function commandsIn(text: string): string[] {
  return text.split('\n').filter((line) => /^(?:npx )?posthorn /.test(line))
}

function helpsOf(command: Command): string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return [text, ...command.commands.flatMap(helpsOf)]
}

const shell = new StubShell()
const blocks = [...PAGE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
const examples = helpsOf(makeProgram(shell.shell())).flatMap((help) => [...help.matchAll(/^ {2}\$ (.*)$/gm)])
shell.remove()

test.each([
  ['docs/command-line.md', commandsIn(blocks.join('\n'))],
  ['help', commandsIn(examples.map(([, line = '']) => line).join('\n'))],
])('%s shows only commands and options that there are', async (_, commands) => {
  expect(commands.length).toBeGreaterThan(20)
  for (const command of commands) {
    await expect(
      idleProgram(shell).parseAsync(argumentsOf(command), { from: 'user' }),
      command,
    ).resolves.toBeDefined()
  }
})

test('docs/command-line.md names every command and every exit code', () => {
  const names = makeProgram(shell.shell()).commands.map((each) => each.name())
  expect(names.filter((name) => !new RegExp(`\`?posthorn ${name}\\b`).test(PAGE))).toEqual([])
  const listed = [...PAGE.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  expect(listed).toEqual([0, ...Object.values(EXIT_CODES)])
})
