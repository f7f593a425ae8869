import { constants, deflateRawSync } from 'node:zlib'
import type { Behaviour, Exchange } from './exchange.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const MEGABYTE = 1_048_576
/** Longer than any row's timeout; a pause ends early when the sender goes. */
const LONG_MS = 60_000

/** Takes the request, then does its worst. */
function after(behaviour: Behaviour): Behaviour {
  return async (exchange) => {
    await exchange.read()
    await behaviour(exchange)
  }
}

/** Takes the request, then writes a text as it stands, byte for byte, and closes or leaves the connection. */
export function says(text: string, then: 'close' | 'stay' | 'reset' = 'close'): Behaviour {
  return after(async (exchange) => {
    await exchange.write(text)
    // A reset discards what the network has not taken yet.
    if (then === 'reset' && (await exchange.pause(800))) exchange.reset()
    if (then === 'close') exchange.close()
    if (then === 'stay') await exchange.pause(LONG_MS)
  })
}

/** An ordinary answer, with more headers if wanted (each with its CRLF). */
export function answers(status: number, headers = '', body = ''): Behaviour {
  return after((exchange) => exchange.answer(status, headers, body))
}

/** The n-th request to this receiver meets the n-th behaviour, the last one serves all further. */
export function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  return (exchange) => behaviours[Math.min(exchange.nth.ofReceiver, behaviours.length) - 1]?.(exchange)
}

/** Answers, but only after a while. */
export function waits(ms: number, behaviour: Behaviour): Behaviour {
  return after(async (exchange) => {
    if (await exchange.pause(ms)) await behaviour(exchange)
  })
}

/** Takes the request and never says a word. */
export const silent: Behaviour = waits(LONG_MS, says(''))

/** Takes nothing and says nothing: the sender's window fills. */
export const takesNothing: Behaviour = async (exchange) => void (await exchange.pause(LONG_MS))

/** Takes the request's body so slowly that a large one never ends. */
export const takesSlowly: Behaviour = async (exchange) => {
  while (await exchange.pause(100)) await exchange.read(1_000)
}

/** Takes part of the body and answers completely; then sends FIN, stays, or reads on. A reset could destroy the answer. */
export function answersEarly(status: number, bytesRead: number, then: 'end' | 'stay' | 'drain'): Behaviour {
  return async (exchange) => {
    await exchange.read(bytesRead)
    await exchange.answer(status, '', 'early')
    if (then === 'end') exchange.end()
    if (then === 'stay') await exchange.pause(LONG_MS)
    await exchange.read()
  }
}

/** Closes or resets after part of the request's body, without a word. */
export function goesAway(how: 'close' | 'reset', bytesRead: number): Behaviour {
  return async (exchange) => {
    await exchange.read(bytesRead)
    exchange[how]()
  }
}

/** Sends FIN at once and goes on reading: half-closed, with or without an answer before it. */
export function halfCloses(text: string): Behaviour {
  return async (exchange) => {
    await exchange.write(text)
    exchange.end()
    await exchange.read()
  }
}

/** Answers the first request of each connection and drops the connection when it is used again. */
export function diesOnReuse(status: number): Behaviour {
  return after(async (exchange) => {
    if (exchange.nth.ofConnection > 1) exchange.reset()
    else await exchange.answer(status, 'Connection: keep-alive\r\n', 'alive')
  })
}

/** Dribbles a text, one byte at a time. */
export function drips(text: string, everyMs: number): Behaviour {
  return after(async (exchange) => {
    for (const byte of Buffer.from(text, 'latin1')) {
      if (!(await exchange.write(Uint8Array.of(byte))) || !(await exchange.pause(everyMs))) return
    }
  })
}

/** A chunked body of one byte every so often that never ends. */
export function dripsForEver(status: number, everyMs: number): Behaviour {
  return after(async (exchange) => {
    await exchange.write(`HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n`)
    while (await exchange.write('1\r\n.\r\n')) await exchange.pause(everyMs)
  })
}

/** Sends interim answers for ever, and never the final one. */
export const onlyHints: Behaviour = after(async (exchange) => {
  while (await exchange.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')) await exchange.pause(50)
})

/** Sends header lines for ever, as fast as they are taken. */
export const endlessHeaders: Behaviour = after(async (exchange) => {
  await exchange.write(OK)
  for (let i = 0; await exchange.write(`X-${i}: ${'h'.repeat(1_000)}\r\n`); i++);
})

/** Sends a body as fast as it is taken; `length` null means chunked and without end. */
export function floods(status: number, length: number | null): Behaviour {
  return after(async (exchange) => {
    const framing = length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
    await exchange.write(`HTTP/1.1 ${status} X\r\n${framing}\r\n\r\n`)
    const block = Buffer.alloc(MEGABYTE, 'f')
    const piece =
      length === null ? Buffer.concat([Buffer.from('100000\r\n'), block, Buffer.from('\r\n')]) : block
    for (let bytes = 0; bytes < (length ?? Number.POSITIVE_INFINITY); bytes += MEGABYTE) {
      if (!(await exchange.write(piece))) return
    }
  })
}

/** A gigabyte of one letter in a megabyte of gzip: one deflate block of 16 MB, sixty-four times. */
export function bombs(status: number): Behaviour {
  const block = deflateRawSync(Buffer.alloc(16 * MEGABYTE, 'b'), { finishFlush: constants.Z_FULL_FLUSH })
  const start = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)
  return after(async (exchange) => {
    const headers = `Content-Encoding: gzip\r\nContent-Length: ${start.length + 64 * block.length}`
    await exchange.write(`HTTP/1.1 ${status} X\r\n${headers}\r\n\r\n`)
    await exchange.write(start)
    for (let i = 0; i < 64 && (await exchange.write(block)); i++);
    await exchange.pause(LONG_MS)
  })
}

/** An answer, and right behind it one that nobody has asked for. */
export function answersTwice(status: number, unasked: string): Behaviour {
  return after(async (exchange: Exchange) => {
    await exchange.write(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n${unasked}`)
  })
}
