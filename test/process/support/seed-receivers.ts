import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import type { Profile } from '../../../src/shape/profile.ts'

const SNIPPETS = path.resolve(import.meta.dirname, '../../../examples/verify')

/** A request as a receiver got it, and the secret it is checked with. Names of headers are in lower case. */
export type Check = { body: Buffer; headers: Record<string, string>; secret: string }

/** A seed's own code for receivers, with the profiles whose deliveries it is written for. */
export type SeedReceiver = {
  name: string
  profiles: readonly Profile[]
  /** The header it reads the signature from, in lower case. */
  header: string
} & ({ accepts: (check: Check) => boolean } | { program: 'php' | 'python3'; expression: string })

/** Everything of the seeds' in examples/verify. `expression` is over $body, $headers and $secret. */
export function seedReceivers(): SeedReceiver[] {
  const core = { profiles: ['core'], header: 'x-webhook-signature' } as const
  const ledgerly = { profiles: ['ledgerly'], header: 'x-ledgerly-signature' } as const
  const marko = { profiles: ['marko'], header: 'x-webhook-signature' } as const
  const bigledger = { profiles: ['bigledger', 'standard', 'cloudevents'], header: 'x-signature' } as const
  const { WebhookVerifier } = exportsOf<{ WebhookVerifier: new () => { verify: Verify } }>('seed-003.js')
  const { verifyLedgerlySignature } = exportsOf<{ verifyLedgerlySignature: Verify }>('seed-000.js')
  const verifyWebhookSignature = seed002Function()
  const php = { program: 'php' } as const
  const header = (name: string) => `$headers['${name}']`
  return [
    { name: "seed 000's text in JavaScript", ...ledgerly, accepts: by(verifyLedgerlySignature, ledgerly) },
    {
      name: "seed 000's text in PHP",
      ...{ ...ledgerly, ...php },
      expression: `verifyLedgerlySignature($body, ${header('x-ledgerly-signature')}, $secret)`,
    },
    {
      name: "seed 001's manual verification in PHP",
      ...{ ...core, ...php },
      expression: `seed001Manual($body, ${header('x-webhook-signature')}, $secret)`,
    },
    {
      name: "seed 001's verifySignature in PHP",
      ...{ ...core, ...php },
      expression: '(new Seed001Controller)->check(new Request($body, $headers))',
    },
    { name: "seed 001's Express route", ...core, accepts: expressRoute() },
    { name: "seed 002's Node function", ...bigledger, accepts: by(verifyWebhookSignature, bigledger) },
    {
      name: "seed 002's Python function",
      ...{ ...bigledger, program: 'python3' },
      expression: "verify_signature(body, headers['x-signature'], secret)",
    },
    {
      name: "seed 002's PHP function",
      ...{ ...bigledger, ...php },
      expression: `verifySignature($body, ${header('x-signature')}, $secret)`,
    },
    {
      name: "seed 003's WebhookVerifier in JavaScript",
      ...marko,
      accepts: by((...args) => new WebhookVerifier().verify(...args), marko),
    },
    {
      name: "seed 003's WebhookVerifier in PHP",
      ...{ ...marko, ...php },
      expression: `(new WebhookVerifier)->verify($body, ${header('x-webhook-signature')}, $secret)`,
    },
  ]
}

type Verify = (payload: Buffer, signature: string, secret: string) => boolean

function by(verify: Verify, { header }: { header: string }): (check: Check) => boolean {
  return ({ body, headers, secret }) => verify(body, headers[header] ?? '', secret)
}

const require = createRequire(import.meta.url)

/** Runs an example that is a CommonJS module. */
function exportsOf<T>(file: string): T {
  const module = { exports: {} }
  vm.compileFunction(snippet(file, /.*/s), ['require', 'module'])(require, module)
  return module.exports as T
}

function seed002Function(): Verify {
  const source = snippet('seed-002.js', /^const crypto = .*?^}$/ms)
  return vm.compileFunction(`${source}\nreturn verifyWebhookSignature`, ['require'])(require) as Verify
}

type Route = (request: object, response: object) => void

/** Seed 001's whole route, with as much of Express around it as it uses. */
function expressRoute(): (check: Check) => boolean {
  const source = snippet('seed-001.js', /^const express.*/ms)
  const env: Record<string, string> = {}
  const routes: Route[] = []
  const globals = {
    require: (name: string) => (name === 'express' ? { raw: () => null } : require(name)),
    app: { post: (_path: string, _middleware: unknown, route: Route) => routes.push(route) },
    process: { env },
    handlePostCreated: () => undefined,
    handlePostUpdated: () => undefined,
  }
  vm.compileFunction(source, Object.keys(globals))(...Object.values(globals))
  return ({ body, headers, secret }) => {
    env['WEBHOOK_SECRET'] = secret
    const sent: number[] = []
    const response = {
      status: (code: number) => ({ send: () => void sent.push(code) }),
      json: () => void sent.push(200),
    }
    for (const route of routes) route({ body, headers }, response)
    return sent[0] === 200
  }
}

/** A part of an example, word for word. */
function snippet(file: string, part: RegExp): string {
  const [source] = part.exec(readFileSync(path.join(SNIPPETS, file), 'utf8')) ?? []
  if (source === undefined) throw new Error(`examples/verify/${file} does not hold ${part}`)
  return source
}

/** Whether a program of another language can be run here. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What a program of another language says to many checks at once, each under one of its expressions. */
export function askProgram(
  program: 'php' | 'python3',
  checks: readonly (Check & { expression: string })[],
): boolean[] {
  const expressions = [...new Set(checks.map(({ expression }) => expression))]
  const input = JSON.stringify(
    checks.map(({ body, headers, secret, expression }) => {
      return { body: body.toString('base64'), headers, secret, which: expressions.indexOf(expression) }
    }),
  )
  const args = program === 'php' ? ['-r', phpProgram(expressions)] : ['-c', pythonProgram(expressions)]
  const output = execFileSync(program, args, { input, encoding: 'utf8', maxBuffer: 1e8 })
  return JSON.parse(output) as boolean[]
}

function pythonProgram(expressions: readonly string[]): string {
  const source = snippet('seed-002.py', /^def verify_signature.*?^ {4}return [^\n]*$/ms)
  const functions = expressions.map((expression) => `lambda body, headers, secret: ${expression}`).join(', ')
  return `import base64, hashlib, hmac, json, sys
${source}
functions = [${functions}]
print(json.dumps([
    functions[c['which']](base64.b64decode(c['body']), c['headers'], c['secret']) for c in json.load(sys.stdin)
]))`
}

/** The seeds' code, with as much of Laravel around it as it uses. */
function phpProgram(expressions: readonly string[]): string {
  const part = (file: string) => snippet(file, /(?<=^<\?php\n).*/s)
  const manual = snippet('seed-001.php', /^\$expectedSignature.*?^}$/ms)
  const functions = expressions.map((expression) => `fn ($body, $headers, $secret) => ${expression}`)
  return `
error_reporting(E_ALL);
ini_set('display_errors', 'stderr');
ini_set('memory_limit', '512M');
class Refused extends Exception {}
class Controller {}
class Request {
  function __construct(private $body, private $headers) {}
  function getContent() { return $this->body; }
  function header($name) { return $this->headers[strtolower($name)]; }
}
function config($name) { return $GLOBALS['configuredSecret']; }
function abort($status) { throw new Refused(); }
${part('seed-000.php')}
function seed001Manual($payload, $providedSignature, $secret) { try { ${manual} } catch (Refused) { return false; } return true; }
${snippet('seed-001.php', /^class .*?^}$/ms)}
class Seed001Controller extends WebhookController { function check($request) { return $this->verifySignature($request); } }
${snippet('seed-002.php', /^function verifySignature.*?^}$/ms)}
${part('seed-003.php')}
$functions = [${functions.join(', ')}];
$said = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $case) {
  $configuredSecret = $case['secret'];
  $said[] = $functions[$case['which']](base64_decode($case['body']), $case['headers'], $case['secret']);
}
echo json_encode($said);`
}
