const whole = new Intl.NumberFormat(undefined)

/** A number with its thousands apart: `12,345`. */
export function numberInWords(value: number): string {
  return whole.format(value)
}

/** `1 event`, `2 events`. */
export function countOf(count: number, one: string, several = `${one}s`): string {
  return `${numberInWords(count)} ${count === 1 ? one : several}`
}

/** A count of the API, which ends where counting does: `10,000+`. */
export function atLeast({ count, isMinimum }: { count: number; isMinimum: boolean }): string {
  return `${numberInWords(count)}${isMinimum ? '+' : ''}`
}
