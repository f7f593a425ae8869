const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

const oneDigit = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })

/** A size in the largest unit of thousands that says enough: `812 bytes`, `1.2 MB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  let value = bytes / 1_000
  let unit = 0
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1_000
    unit++
  }
  return `${oneDigit.format(value)} ${UNITS[unit]}`
}
