import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { installPackage } from '../../support/built-package.ts'
import type { Tools } from './required-tools.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const GSON = '/usr/share/java/gson.jar'
const NEWTONSOFT = '/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll'
/** Serves a Worker's entry on loopback. */
export const SERVE_WORKER = path.join(import.meta.dirname, 'serve-worker.mjs')

/** A receiver of examples/receivers, and what it takes to run it. */
export type Example = {
  file: string
  tools: Tools
  /** It starts at once, with tools that most machines have: Node, Python, PHP. */
  isQuick?: true
  /** Runs once, in the folder of the examples. */
  prepare?: (folder: string) => void
  command: (port: number) => [string, ...string[]]
  /** Where it receives. */
  at?: string
}

const node = (file: string): Example => ({
  file,
  tools: {},
  isQuick: true,
  command: () => [process.execPath, file],
})
const worker = (file: string): Example => ({
  file,
  tools: {},
  isQuick: true,
  command: () => [process.execPath, SERVE_WORKER, file],
})

export const EXAMPLES: readonly Example[] = [
  node('node.mjs'),
  node('verify-node.mjs'),
  node('express.mjs'),
  worker('hono.mjs'),
  worker('verify-hono.mjs'),
  worker('verify-fetch.mjs'),
  {
    file: 'python_server.py',
    tools: { python3: 'python3' },
    isQuick: true,
    command: () => ['python3', 'python_server.py'],
  },
  {
    file: 'receiver.php',
    tools: { php: 'php-cli' },
    isQuick: true,
    command: (port) => ['php', '-S', `127.0.0.1:${port}`, 'receiver.php'],
  },
  {
    file: 'receiver.go',
    tools: { go: 'golang-go' },
    prepare: (folder) => run(folder, 'go', ['build', '-o', 'receiver-go', 'receiver.go']),
    command: () => ['./receiver-go'],
  },
  {
    file: 'rack.ru',
    tools: { ruby: 'ruby', puma: 'puma' },
    command: (port) => ['puma', '--quiet', '--bind', `tcp://127.0.0.1:${port}`, 'rack.ru'],
  },
  {
    file: 'Receiver.java',
    tools: { java: 'default-jdk-headless', javac: 'default-jdk-headless', [GSON]: 'libgoogle-gson-java' },
    command: () => ['java', '-cp', GSON, 'Receiver.java'],
  },
  {
    file: 'Receiver.cs',
    tools: { mcs: 'mono-mcs', mono: 'mono-runtime', [NEWTONSOFT]: 'libnewtonsoft-json5.0-cil' },
    prepare: (folder) => {
      run(folder, 'mcs', ['-out:receiver.exe', `-r:${NEWTONSOFT}`, 'Receiver.cs'])
      cpSync(NEWTONSOFT, path.join(folder, path.basename(NEWTONSOFT)))
    },
    command: () => ['mono', 'receiver.exe'],
  },
  {
    file: 'openssl.sh',
    tools: { openssl: 'openssl', jq: 'jq', busybox: 'busybox' },
    prepare: (folder) => {
      mkdirSync(path.join(folder, 'www/cgi-bin'), { recursive: true })
      cpSync(path.join(folder, 'openssl.sh'), path.join(folder, 'www/cgi-bin/openssl.sh'))
    },
    command: (port) => ['busybox', 'httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', 'www'],
    at: '/cgi-bin/openssl.sh',
  },
]

/** Copies the examples into a folder as if their packages had been installed beside them. */
export async function installExamples(folder: string): Promise<void> {
  cpSync(path.join(ROOT, 'examples/receivers'), folder, { recursive: true })
  await installPackages(folder)
}

/** Puts the packages that examples import into a folder: this repository's own built, the others linked. */
export async function installPackages(folder: string): Promise<void> {
  await installPackage(path.join(folder, 'node_modules/posthorn'))
  for (const name of ['hono', 'express', 'standardwebhooks']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
}

function run(cwd: string, command: string, args: string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
}
