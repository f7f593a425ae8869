/** Most digits of a decimal, in all and behind its point: more than any double has. */
const DIGITS_MAX = 800
/** The first number with too many digits. */
const TOO_LARGE = 10n ** BigInt(DIGITS_MAX)
/** Digits to which a quotient is exact, beyond those of its divisor; one that goes on becomes a double. */
const QUOTIENT_DIGITS = 40

const NUMBER = /^([+-]?)(\d*)(?:(\.)(\d*))?(?:[eE]([+-]?\d+))?$/

/** A number with more digits than are calculated with. */
export class DigitsError extends Error {
  constructor() {
    super(`numbers to calculate with must have at most ${DIGITS_MAX} digits`)
  }
}

/** An exact decimal number: its digits without the point, and how many of them stand behind it. */
export class Decimal {
  static readonly ZERO = new Decimal(0n, 0)

  readonly #digits: bigint
  readonly #scale: number
  readonly #isFraction: boolean

  /**
   * @param isFraction true for a number written with a point or an exponent, such as 185.00: it keeps
   * one digit behind the point, and so does every number that comes of it
   */
  constructor(digits: bigint, scale: number, isFraction = scale > 0) {
    const [shortest, places] = withoutLastZeros(digits, scale)
    if (shortest >= TOO_LARGE || shortest <= -TOO_LARGE || places > DIGITS_MAX) throw new DigitsError()
    this.#digits = shortest
    this.#scale = places
    this.#isFraction = isFraction
  }

  /** Reads a whole text as a number; null where it is none. Throws `DigitsError`. */
  static parse(text: string): Decimal | null {
    const match = NUMBER.exec(text)
    if (match === null) return null
    const [, sign, integer = '', point, fraction = '', exponent] = match
    if (integer === '' && fraction === '') return null
    const shift = Number(exponent ?? 0)
    if (integer.length + fraction.length + Math.abs(shift) > DIGITS_MAX) throw new DigitsError()
    const scale = fraction.length - shift
    const magnitude = BigInt(integer + fraction) * powerOf10(Math.max(0, -scale))
    const isFraction = point !== undefined || exponent !== undefined
    return new Decimal(sign === '-' ? -magnitude : magnitude, Math.max(0, scale), isFraction)
  }

  get isZero(): boolean {
    return this.#digits === 0n
  }

  plus(other: Decimal): Decimal {
    const { left, right, scale } = this.#alignedWith(other)
    return new Decimal(left + right, scale, this.#isFraction || other.#isFraction)
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negated())
  }

  times(other: Decimal): Decimal {
    const isFraction = this.#isFraction || other.#isFraction
    return new Decimal(this.#digits * other.#digits, this.#scale + other.#scale, isFraction)
  }

  /** Divides exactly where the quotient ends, and to the nearest double where it goes on. */
  dividedBy(divisor: Decimal): Decimal {
    const { left, right } = this.#alignedWith(divisor)
    const places = QUOTIENT_DIGITS + String(right).length
    const dividend = left * powerOf10(places)
    const quotient = dividend / right
    if (dividend % right === 0n) return new Decimal(quotient, places, this.#isFraction || divisor.#isFraction)
    const nearest = Number(`${quotient}e-${places}`)
    if (!Number.isFinite(nearest)) return new Decimal(quotient / powerOf10(places), 0, true)
    return Decimal.parse(String(nearest)) ?? Decimal.ZERO
  }

  /** Divides and rounds down to a whole number. */
  wholeQuotient(divisor: Decimal): Decimal {
    const { left, right } = this.#alignedWith(divisor)
    const whole = left / right
    const isBelow = left % right !== 0n && left < 0n !== right < 0n
    return new Decimal(isBelow ? whole - 1n : whole, 0)
  }

  /** The rest of a division, with the divisor's sign. */
  modulo(divisor: Decimal): Decimal {
    const { left, right, scale } = this.#alignedWith(divisor)
    return new Decimal(((left % right) + right) % right, scale, this.#isFraction || divisor.#isFraction)
  }

  negated(): Decimal {
    return new Decimal(-this.#digits, this.#scale, this.#isFraction)
  }

  abs(): Decimal {
    return this.#digits < 0n ? this.negated() : this
  }

  isBelow(other: Decimal): boolean {
    const { left, right } = this.#alignedWith(other)
    return left < right
  }

  /** Rounds down to a whole number. */
  floor(): Decimal {
    const whole = this.truncated()
    return this.isBelow(whole) ? whole.minus(ONE) : whole
  }

  /** Rounds up to a whole number. */
  ceil(): Decimal {
    return this.negated().floor().negated()
  }

  /** Cuts off what stands behind the point. */
  truncated(): Decimal {
    return new Decimal(this.#digits / powerOf10(this.#scale), 0)
  }

  /** Rounds to `places` behind the point, before it where negative; halves go away from zero. */
  round(places: number): Decimal {
    const cut = this.#scale - places
    if (cut <= 0) return this
    if (cut > 2 * DIGITS_MAX) return new Decimal(0n, 0, this.#isFraction)
    const unit = powerOf10(cut)
    const half = this.#digits < 0n ? -unit / 2n : unit / 2n
    const kept = (this.#digits + half) / unit
    return new Decimal(kept * powerOf10(Math.max(0, -places)), Math.max(0, places), this.#isFraction)
  }

  /** Plain digits, without an exponent. A fraction ends with its last digit that counts, or with `.0`. */
  toString(): string {
    const digits = String(this.#digits).replace('-', '')
    const sign = this.#digits < 0n ? '-' : ''
    if (this.#scale === 0) return `${sign}${digits}${this.#isFraction ? '.0' : ''}`
    const padded = digits.padStart(this.#scale + 1, '0')
    return `${sign}${padded.slice(0, -this.#scale)}.${padded.slice(-this.#scale)}`
  }

  #alignedWith(other: Decimal): { left: bigint; right: bigint; scale: number } {
    const scale = Math.max(this.#scale, other.#scale)
    const left = this.#digits * powerOf10(scale - this.#scale)
    return { left, right: other.#digits * powerOf10(scale - other.#scale), scale }
  }
}

const ONE = new Decimal(1n, 0)

function powerOf10(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}

function withoutLastZeros(digits: bigint, scale: number): [digits: bigint, scale: number] {
  if (digits === 0n) return [0n, 0]
  if (scale === 0 || digits % 10n !== 0n) return [digits, scale]
  const text = String(digits)
  let zeros = 1
  while (zeros < scale && text.at(-1 - zeros) === '0') zeros++
  return [digits / powerOf10(zeros), scale - zeros]
}
