import { Argument, type Command } from 'commander'
import { type AddCommand, action, examples } from '../command.ts'
import { write } from '../render/write.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type ShellName = (typeof SHELLS)[number]

/** The words that may follow a path of commands; the empty path is `posthorn` itself. */
export type Words = ReadonlyMap<string, readonly string[]>

/** `posthorn completion`. */
export const addCompletion: AddCommand = (parent, shell) => {
  parent
    .command('completion')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .summary('completion for bash, zsh or fish')
    .addHelpText(
      'after',
      examples(
        ['posthorn completion bash >> ~/.bashrc'],
        ['posthorn completion zsh > ~/.zsh/completions/_posthorn', 'a folder of $fpath'],
        ['posthorn completion fish > ~/.config/fish/completions/posthorn.fish'],
      ),
    )
    .action(
      action(shell, async (context, { args: [name = ''] }) => {
        await write(context, completionFor(name as ShellName, wordsOf(parent)))
      }),
    )
}

/** The commands and options of a program. */
export function wordsOf(program: Command): Words {
  const globals = optionsOf(program)
  const words = new Map<string, string[]>()
  const visit = (command: Command, path: string) => {
    const below = command.commands.flatMap((each) => [each.name(), ...each.aliases()])
    // A command that is called without a name of its own has its options there as well.
    const usual = command.commands.find((each) => each.name() === 'list' || each.name() === 'start')
    const own =
      command === program ? [] : [...optionsOf(command), ...(usual === undefined ? [] : optionsOf(usual))]
    words.set(path, [...new Set([...below, ...own, ...globals, '--help'])])
    for (const each of command.commands) {
      for (const name of [each.name(), ...each.aliases()]) visit(each, path === '' ? name : `${path} ${name}`)
    }
  }
  visit(program, '')
  return words
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap(({ long }) => long ?? [])
}

function completionFor(shell: ShellName, words: Words): string {
  switch (shell) {
    case 'bash':
      return `${cases(words)}${BASH}`
    case 'zsh':
      return `#compdef posthorn\n${cases(words)}${ZSH}`
    case 'fish':
      return fish(words)
  }
}

/** A function of bash and zsh that prints the words after a path, and answers false for what is no path. */
function cases(words: Words): string {
  const lines = [...words].map(([path, next]) => `    '${path}') echo '${next.join(' ')}' ;;`)
  return `_posthorn_words() {\n  case "$1" in\n${lines.join('\n')}\n    *) return 1 ;;\n  esac\n}\n`
}

const BASH = `_posthorn() {
  local at='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    _posthorn_words "\${at:+$at }$word" > /dev/null && at="\${at:+$at }$word"
  done
  COMPREPLY=($(compgen -W "$(_posthorn_words "$at")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _posthorn posthorn
`

const ZSH = `_posthorn() {
  local at='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    _posthorn_words "\${at:+$at }$word" > /dev/null && at="\${at:+$at }$word"
  done
  compadd -- \${=$(_posthorn_words "$at")}
  _files
}
if [ "$funcstack[1]" = _posthorn ]; then _posthorn "$@"; else compdef _posthorn posthorn; fi
`

function fish(words: Words): string {
  const lines = [...words].map(([path, next]) => `    case '${path}'\n      printf '%s\\n' ${next.join(' ')}`)
  return `function __posthorn_words
  switch "$argv[1]"
${lines.join('\n')}
    case '*'
      return 1
  end
end
function __posthorn_complete
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$at $word")
    __posthorn_words "$next" > /dev/null; and set at "$next"
  end
  __posthorn_words "$at"
end
complete -c posthorn -a '(__posthorn_complete)'
`
}
