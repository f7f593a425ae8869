import { answers } from './behaviours.ts'
import { accepted, refused, row } from './expected.ts'
import { RETRY_SECONDS, type Row } from './run.ts'

const TWO_HOURS = 7_200
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

/** The three forms of HTTP-date, two hours from now. */
const DATES: Record<string, () => string> = {
  'an IMF-fixdate': () => parts().utc,
  'an RFC 850 date': () => {
    const { weekday, day, month, year, time } = parts()
    return `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`
  },
  'an asctime date': () => {
    const { weekday, day, month, year, time } = parts()
    return `${weekday.slice(0, 3)} ${month} ${day} ${time} ${year}`
  },
}

/** Every form of `Retry-After`, and where it does not count. */
export function retryAfterRows(): Row[] {
  const text = (value: string, seconds: number) =>
    row(`503, Retry-After: "${value}"`, answers(503, header(value)), refused(503, null, seconds))
  return [
    ...[text('7200', TWO_HOURS), text('7200.5', TWO_HOURS + 1), text('9'.repeat(400), 86_400)],
    ...Object.entries(DATES).map(([form, date]) =>
      // Written when it is asked for: a date fixed at the start would have come closer by then.
      row(
        `503, Retry-After: ${form}`,
        (exchange) => answers(503, header(date()))(exchange),
        refused(503, null, TWO_HOURS),
      ),
    ),
    // What asks for less than the policy's own delay, or for nothing that can be read, changes nothing.
    ...['0', '1', '', '-5', 'soon', '1e4', '7200,5', new Date(0).toUTCString()].map((value) =>
      text(value, RETRY_SECONDS),
    ),
    row(
      '503 with two of Retry-After',
      answers(503, header('7200') + header('60')),
      refused(503, null, TWO_HOURS),
    ),
    row('429 with Retry-After', answers(429, header('7200')), refused(429, null, TWO_HOURS)),
    row('500 with Retry-After, which is not for it', answers(500, header('7200')), refused(500)),
    row('200 with Retry-After', answers(200, header('7200')), accepted()),
  ]
}

function header(value: string): string {
  return `Retry-After: ${value}\r\n`
}

function parts() {
  const date = new Date(Date.now() + TWO_HOURS * 1000)
  const utc = date.toUTCString()
  const [, day = '', month = '', year = '', time = ''] = utc.split(' ')
  return { utc, weekday: WEEKDAYS[date.getUTCDay()] ?? '', day, month, year, time }
}
