import { readFile } from 'node:fs/promises'
import { Failure } from '../failure/failure.ts'
import type { Shell } from '../shell/shell.ts'

type Stdin = Pick<Shell, 'readStdin'>

/** Reads a file, or standard input for `-`. */
export async function readBytes(file: string, { readStdin }: Stdin): Promise<Uint8Array> {
  if (file !== '-') return await read(file)
  const bytes = await readStdin()
  if (bytes !== null) return bytes
  throw new Failure('usage', 'Standard input is the terminal, so there is nothing to read.', {
    next: 'Name a file, or send something: posthorn … - < file',
  })
}

/** Reads a file of text, or standard input for `-`. */
export async function readText(file: string, stdin: Stdin): Promise<string> {
  const bytes = await readBytes(file, stdin)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Failure('usage', `${nameOf(file)} is no text in UTF-8.`)
  }
}

/** A value as it is given, of a file as `@file`, or of standard input as `-`. */
export async function readValue(value: string, stdin: Stdin): Promise<string> {
  if (value === '-') return await readText('-', stdin)
  return value.startsWith('@') ? await readText(value.slice(1), stdin) : value
}

/** The name of a file in messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'Standard input' : file
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new Failure('usage', `${file} cannot be read: ${reasonOf(error as NodeJS.ErrnoException)}.`)
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'it may not be read by you'
  if (code === 'EISDIR') return 'it is a folder'
  return message
}
