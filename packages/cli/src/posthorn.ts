/** `posthorn`: the command line of a relay. */
import process from 'node:process'
import { run } from './run.ts'
import { processShell } from './shell/process-shell.ts'

process.exitCode = await run(process.argv.slice(2), processShell())
