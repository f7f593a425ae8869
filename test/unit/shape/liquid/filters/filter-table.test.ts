import { describe, expect, test } from 'vitest'
import { templateFilters } from '../../../../../src/shape/liquid/filters/filters.ts'
import { compileTransform, transformSchema } from '../../../../../src/shape/transform.ts'

/** One value of each kind that an event's JSON can have where a template looks. */
const INPUTS = ['missing', 'null', 'number', 'text', 'list', 'emoji'] as const
const DATA =
  '{"null": null, "number": 19.99, "text": "one Two", "list": [3, 1.50, "b", null], "emoji": "😀 b😀", "rows": [{"a": 2.50, "b": "x"}, {"a": 1}, {"b": "y"}, {"a": 2.5, "b": "x"}]}'
const EVENT = `{"id":"e","event":"x.y","timestamp":"2026-01-01T00:00:00Z","livemode":true,"api_version":"v1","data":${DATA},"context":{}}`

/**
 * Every filter over every input, as Shopify's Liquid answers; `!` stands for an error. Where the
 * answer differs on purpose, docs/shaping.md says so: lists and objects print as JSON, and digits
 * stay as they were published.
 */
const TABLE = String.raw`
abs ¦ 0 ¦ 0 ¦ 19.99 ¦ 0 ¦ 0 ¦ 0
at_least: 5 ¦ 5 ¦ 5 ¦ 19.99 ¦ 5 ¦ 5 ¦ 5
at_most: 5 ¦ 0 ¦ 0 ¦ 5 ¦ 0 ¦ 0 ¦ 0
ceil ¦ 0 ¦ 0 ¦ 20 ¦ 0 ¦ 0 ¦ 0
divided_by: 2 ¦ 0 ¦ 0 ¦ 9.995 ¦ 0 ¦ 0 ¦ 0
floor ¦ 0 ¦ 0 ¦ 19 ¦ 0 ¦ 0 ¦ 0
minus: 0.9 ¦ -0.9 ¦ -0.9 ¦ 19.09 ¦ -0.9 ¦ -0.9 ¦ -0.9
modulo: 3 ¦ 0 ¦ 0 ¦ 1.99 ¦ 0 ¦ 0 ¦ 0
plus: 0.01 ¦ 0.01 ¦ 0.01 ¦ 20.0 ¦ 0.01 ¦ 0.01 ¦ 0.01
round ¦ 0 ¦ 0 ¦ 20 ¦ 0 ¦ 0 ¦ 0
round: 1 ¦ 0 ¦ 0 ¦ 20.0 ¦ 0 ¦ 0 ¦ 0
times: 100 ¦ 0 ¦ 0 ¦ 1999.0 ¦ 0 ¦ 0 ¦ 0
to_integer ¦ 0 ¦ 0 ¦ 19 ¦ 0 ¦ 0 ¦ 0
sum ¦ 0 ¦ 0 ¦ 19.99 ¦ 0 ¦ 4.5 ¦ 0
append: "!" ¦ ! ¦ ! ¦ 19.99! ¦ one Two! ¦ [3,1.50,"b",null]! ¦ 😀 b😀!
prepend: "!" ¦ ! ¦ ! ¦ !19.99 ¦ !one Two ¦ ![3,1.50,"b",null] ¦ !😀 b😀
capitalize ¦  ¦  ¦ 19.99 ¦ One two ¦ [3,1.50,"b",null] ¦ 😀 b😀
downcase ¦  ¦  ¦ 19.99 ¦ one two ¦ [3,1.50,"b",null] ¦ 😀 b😀
upcase ¦  ¦  ¦ 19.99 ¦ ONE TWO ¦ [3,1.50,"B",NULL] ¦ 😀 B😀
strip ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
lstrip ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
rstrip ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
strip_newlines ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
squish ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
normalize_whitespace ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
truncate: 4 ¦  ¦  ¦ 1... ¦ o... ¦ [... ¦ 😀 b😀
truncate: 2, "" ¦  ¦  ¦ 19 ¦ on ¦ [3 ¦ 😀 
truncatewords: 1 ¦  ¦  ¦ 19.99 ¦ one... ¦ [3,1.50,"b",null] ¦ 😀...
number_of_words ¦ 0 ¦ 0 ¦ 1 ¦ 2 ¦ 1 ¦ 2
slice: 1 ¦  ¦  ¦ 9 ¦ n ¦ [1.50] ¦  
slice: -2, 2 ¦  ¦  ¦ 99 ¦ wo ¦ ["b",null] ¦ b😀
remove: "o" ¦  ¦  ¦ 19.99 ¦ ne Tw ¦ [3,1.50,"b",null] ¦ 😀 b😀
remove_first: "o" ¦  ¦  ¦ 19.99 ¦ ne Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
remove_last: "o" ¦  ¦  ¦ 19.99 ¦ one Tw ¦ [3,1.50,"b",null] ¦ 😀 b😀
replace: "o", "0" ¦  ¦  ¦ 19.99 ¦ 0ne Tw0 ¦ [3,1.50,"b",null] ¦ 😀 b😀
replace: "", "-" ¦ - ¦ - ¦ -1-9-.-9-9- ¦ -o-n-e- -T-w-o- ¦ -[-3-,-1-.-5-0-,-"-b-"-,-n-u-l-l-]- ¦ -😀- -b-😀-
replace_first: "o", "0" ¦  ¦  ¦ 19.99 ¦ 0ne Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
replace_last: "o", "0" ¦  ¦  ¦ 19.99 ¦ one Tw0 ¦ [3,1.50,"b",null] ¦ 😀 b😀
split: " " ¦ [] ¦ [] ¦ ["19.99"] ¦ ["one","Two"] ¦ ["[3,1.50,\"b\",null]"] ¦ ["😀","b😀"]
split: "" ¦ [] ¦ [] ¦ ["1","9",".","9","9"] ¦ ["o","n","e"," ","T","w","o"] ¦ ["[","3",",","1",".","5","0",",","\"","b","\"",",","n","u","l","l","]"] ¦ ["😀"," ","b","😀"]
json ¦ null ¦ null ¦ 19.99 ¦ "one Two" ¦ [3,1.50,"b",null] ¦ "😀 b😀"
jsonify ¦ null ¦ null ¦ 19.99 ¦ "one Two" ¦ [3,1.50,"b",null] ¦ "😀 b😀"
escape ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,&quot;b&quot;,null] ¦ 😀 b😀
escape_once ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,&quot;b&quot;,null] ¦ 😀 b😀
xml_escape ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,&quot;b&quot;,null] ¦ 😀 b😀
newline_to_br ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
strip_html ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
url_encode ¦  ¦  ¦ 19.99 ¦ one+Two ¦ %5B3%2C1.50%2C%22b%22%2Cnull%5D ¦ %F0%9F%98%80+b%F0%9F%98%80
url_decode ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
cgi_escape ¦  ¦  ¦ 19.99 ¦ one+Two ¦ %5B3%2C1.50%2C%22b%22%2Cnull%5D ¦ %F0%9F%98%80+b%F0%9F%98%80
uri_escape ¦  ¦  ¦ 19.99 ¦ one%20Two ¦ [3,1.50,%22b%22,null] ¦ %F0%9F%98%80%20b%F0%9F%98%80
slugify ¦  ¦  ¦ 19-99 ¦ one-two ¦ 3-1-50-b-null ¦ b
base64_encode ¦  ¦  ¦ MTkuOTk= ¦ b25lIFR3bw== ¦ WzMsMS41MCwiYiIsbnVsbF0= ¦ 8J+YgCBi8J+YgA==
base64_encode | base64_decode ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
base64_url_safe_encode ¦  ¦  ¦ MTkuOTk= ¦ b25lIFR3bw== ¦ WzMsMS41MCwiYiIsbnVsbF0= ¦ 8J-YgCBi8J-YgA==
base64_url_safe_encode | base64_url_safe_decode ¦  ¦  ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
join: "+" ¦  ¦  ¦ 19.99 ¦ one Two ¦ 3+1.50+b+ ¦ 😀 b😀
array_to_sentence_string ¦  ¦  ¦ 19.99 ¦ one Two ¦ 3, 1.50, b, and  ¦ 😀 b😀
concat: data.list ¦ [3,1.50,"b",null] ¦ [3,1.50,"b",null] ¦ [19.99,3,1.50,"b",null] ¦ ["one Two",3,1.50,"b",null] ¦ [3,1.50,"b",null,3,1.50,"b",null] ¦ ["😀 b😀",3,1.50,"b",null]
push: 1 ¦ [1] ¦ [1] ¦ [19.99,1] ¦ ["one Two",1] ¦ [3,1.50,"b",null,1] ¦ ["😀 b😀",1]
pop ¦ [] ¦ [] ¦ [] ¦ [] ¦ [3,1.50,"b"] ¦ []
shift ¦ [] ¦ [] ¦ [] ¦ [] ¦ [1.50,"b",null] ¦ []
unshift: 1 ¦ [1] ¦ [1] ¦ [1,19.99] ¦ [1,"one Two"] ¦ [1,3,1.50,"b",null] ¦ [1,"😀 b😀"]
reverse ¦ [] ¦ [] ¦ [19.99] ¦ ["one Two"] ¦ [null,"b",1.50,3] ¦ ["😀 b😀"]
uniq ¦ [] ¦ [] ¦ [19.99] ¦ ["one Two"] ¦ [3,1.50,"b",null] ¦ ["😀 b😀"]
compact ¦ [] ¦ [] ¦ [19.99] ¦ ["one Two"] ¦ [3,1.50,"b"] ¦ ["😀 b😀"]
first ¦  ¦  ¦  ¦ o ¦ 3 ¦ 😀
last ¦  ¦  ¦  ¦ o ¦  ¦ 😀
size ¦ 0 ¦ 0 ¦ 0 ¦ 7 ¦ 4 ¦ 4
map: "a" ¦ [] ¦ [] ¦ [null] ¦ [null] ¦ [null,null,null,null] ¦ [null]
where: "a" ¦ [] ¦ [] ¦ [] ¦ [] ¦ [] ¦ []
reject: "a" ¦ [] ¦ [] ¦ [19.99] ¦ ["one Two"] ¦ [3,1.50,"b",null] ¦ ["😀 b😀"]
find: "a" ¦  ¦  ¦  ¦  ¦  ¦ 
find_index: "a" ¦  ¦  ¦  ¦  ¦  ¦ 
has: "a" ¦ false ¦ false ¦ false ¦ false ¦ false ¦ false
group_by: "a" | size ¦ 0 ¦ 0 ¦ 1 ¦ 1 ¦ 1 ¦ 1
sort | size ¦ 0 ¦ 0 ¦ 1 ¦ 1 ¦ 4 ¦ 1
sort_natural ¦ [] ¦ [] ¦ [19.99] ¦ ["one Two"] ¦ [1.50,3,"b",null] ¦ ["😀 b😀"]
date: "%Y" ¦  ¦  ¦ 1970 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
date_to_xmlschema ¦  ¦  ¦ 1970-01-01T00:00:19+00:00 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
date_to_rfc822 ¦  ¦  ¦ Thu, 01 Jan 1970 00:00:19 +0000 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
date_to_string ¦  ¦  ¦ 01 Jan 1970 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
date_to_long_string ¦  ¦  ¦ 01 January 1970 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
default: "none" ¦ none ¦ none ¦ 19.99 ¦ one Two ¦ [3,1.50,"b",null] ¦ 😀 b😀
`
const ROWS = TABLE.split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split(' ¦ '))

/** The text of an expression, or its error behind an exclamation mark. */
function textOf(expression: string): string {
  const transform = transformSchema.parse({ template: `{{ ${expression} }}#`, contentType: 'text/plain' })
  const result = compileTransform(transform)({ text: EVENT })
  return result.kind === 'rendered' ? result.text.slice(0, -1) : `! ${result.message}`
}

describe('every filter over every kind of input', () => {
  test('the table has a row for each filter', () => {
    const called = new Set(ROWS.flatMap(([call = '']) => call.split(' | ').map((part) => part.split(':')[0])))
    expect(Object.keys(templateFilters).filter((name) => !called.has(name))).toEqual([])
  })

  test.each(ROWS)('%s', (call, ...expected) => {
    expect(INPUTS.map((input) => textOf(`data.${input} | ${call}`))).toEqual(expected)
  })
})

describe('numbers are calculated in decimals', () => {
  test.each([
    ['data.number | times: 100', '1999.0'],
    ['0.1 | plus: 0.2', '0.3'],
    ['183.357 | times: 12', '2200.284'],
    ['183.357 | modulo: 12', '3.357'],
    ['1.005 | round: 2', '1.01'],
    ['-1.5 | round', '-2'],
    ['2.5 | round', '3'],
    ['1234.5 | round: -2', '1200.0'],
    ['"3.5" | ceil', '4'],
    ['-1.2 | floor', '-2'],
    ['20 | divided_by: 7.0', '2.857142857142857'],
    ['20 | divided_by: 7', '2.857142857142857'],
    ['20 | divided_by: 7, true', '2'],
    ['-20 | divided_by: 7, true', '-3'],
    ['10.0 | divided_by: 4', '2.5'],
    ['16 | divided_by: 4', '4'],
    ['12345678901234567890 | plus: 1', '12345678901234567891'],
    ['0.00000000000000000001 | times: 3', '0.00000000000000000003'],
    ['"12 apples" | plus: 1', '13'],
    ['"1e3" | plus: 1', '1001.0'],
    ['true | plus: 1', '1'],
    ['"-3.7" | to_integer', '-3'],
    ['data.rows | sum: "a"', '6.0'],
    ['7 | modulo: -4', '-1'],
    ['"1e-300" | divided_by: 2', `0.${'0'.repeat(300)}5`],
  ])('%s is %s', (expression, text) => {
    expect(textOf(expression)).toBe(text)
  })

  test('numbers of more digits than anything needs fail by that name', () => {
    const nines = '9'.repeat(500)
    expect(textOf(`"${nines}" | times: "${nines}"`)).toMatch(/^! .*at most 800 digits/)
    expect(textOf('"1e999999999" | plus: 1')).toMatch(/^! .*at most 800 digits/)
  })
})

describe('values are compared, not objects', () => {
  test.each([
    ['data.rows | uniq | size', '3'],
    ['data.rows | uniq: "a" | map: "a"', '[2.50,1,null]'],
    ['data.rows | compact: "b" | size', '3'],
    ['data.rows | group_by: "a" | map: "items" | first', '[{"a":2.50,"b":"x"},{"a":2.5,"b":"x"}]'],
    ['data.rows | where: "a", 2.5 | size', '2'],
    ['data.rows | sort: "a" | map: "a"', '[1,2.50,2.5,null]'],
  ])('%s is %s', (expression, text) => {
    expect(textOf(expression)).toBe(text)
  })
})

describe('single cases', () => {
  test.each([
    ['"a  b " | split: " " | size', '2'],
    ['"😀😀" | size', '2'],
    ['"😀😀" | split: "" | reverse | join', '😀 😀'],
    ['"one two three" | truncatewords: 3', 'one two three'],
    ['"ab" | slice: "1"', 'b'],
    [
      '"ab" | slice: "x"',
      '! an offset, a length or a number of words must be a whole number (line 1, column 1)',
    ],
    ['"&lt; &nbsp; & <" | escape_once', '&lt; &nbsp; &amp; &lt;'],
    ['"it\'s (ok)!" | url_encode', 'it%27s+%28ok%29%21'],
    ['data.rows.first | size', '2'],
    ['data.text.size', '7'],
    ['false | default: 1, allow_false: true', 'false'],
    ['"2026-01-01T00:00:00Z" | date: "%H:%M", "+05:30"', '05:30'],
    ['"2026-01-01T00:00:00Z" | date: ""', '2026-01-01T00:00:00Z'],
    ['"2026-01-01T00:00:00.123456Z" | date: "%3N %6N %L %N"', '123 123456 123 123456000'],
    [
      '"2021-01-03" | date: "%G-W%V-%u %g %v %#p %^B %-m %::z"',
      '2020-W53-7 20  3-JAN-2021 am JANUARY 1 +00:00:00',
    ],
    ['"March 14, 2016" | date: "%b %d, %y"', 'Mar 14, 16'],
    ['"Fri, 16 Jul 2004 01:00:00 +0200" | date: "%F %T"', '2004-07-15 23:00:00'],
    ['"June 31, 2016" | date: "%F"', 'June 31, 2016'],
  ])('%s is %s', (expression, text) => {
    expect(textOf(expression)).toBe(text)
  })

  test('XML gets U+FFFD for a character that it cannot hold', () => {
    const transform = transformSchema.parse({
      template: '{{ data.c | xml_escape }}',
      contentType: 'application/xml',
    })
    const text = '{"event":"x.y","data":{"c":"a\\u000b<"}}'
    expect(compileTransform(transform)({ text })).toMatchObject({ text: 'a\ufffd&lt;' })
  })

  test.each(['330', '-480'])('a number (%s) is no time zone: it could be minutes to either side', (zone) => {
    const template = `{{ event.timestamp | date: "%R", ${zone} }}`
    expect(transformSchema.safeParse({ template, contentType: 'text/plain' }).error?.message).toContain(
      '+05:30',
    )
    expect(textOf('event.timestamp | date: "%R", data.number')).toMatch(/^! a time zone must be a name/)
  })
})
