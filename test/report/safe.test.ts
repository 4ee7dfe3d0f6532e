import fc from 'fast-check'
import { marked } from 'marked'
import { describe, expect, test } from 'vitest'
import { markdown, plain, redact } from '../../src/report/safe.ts'
import { parseCommand } from '../runner/commands.ts'
import { lacedWith } from '../support/hostile.ts'

/** Texts as an attacker would choose them: pieces of commands and markup between all kinds of white space. */
const pieces = [
  '::',
  '##[',
  ']',
  ':',
  '#',
  '[',
  'set-output name=outcome',
  'error',
  'add-mask',
  'stop-commands',
  '\r',
  '\n',
  '\u2028',
  '\u0085',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '\u001b[2K',
  '\u202e',
  '%0A',
  '<img src=x>',
  '](http://x)',
  '`',
  '|',
  '@team',
  '&lt;',
  '\\',
  'https://evil.example',
  '<!--',
  '\ud800',
]
const hostile = lacedWith(pieces)

describe('plain text', () => {
  test('is one line that the runner takes for no command, wherever it stands', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = plain(text)
        for (const line of `${safe}\nprefix ${safe}`.split(/\r\n|\r|\n/)) expect(parseCommand(line)).toBeNull()
        expect(safe).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
      }),
      { numRuns: 100_000 },
    )
  })

  test.each([
    ['a\r\nb\tc', 'a b c'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['user\u202Egnp.exe', 'usergnp.exe'],
    ['  ::error::x', ':\u200b:error:\u200b:x'],
    [':::', ':\u200b:\u200b:'],
    ['##[group]x', '#\u200b#[group]x'],
    ['Grüße 東京 🚀', 'Grüße 東京 🚀'],
  ])('%j becomes %j', (text, safe) => {
    expect(plain(text)).toBe(safe)
  })

  test('is cut without breaking a character', () => {
    const cut = plain('🚀'.repeat(100), 10)
    expect(cut.length).toBeLessThanOrEqual(10)
    expect(cut).toMatch(/^🚀+…$/u)
  })
})

describe('redacted text', () => {
  test.each([
    ['The field "custom:Users" with value "jim" is no array', 'The field "…" with value "…" is no array'],
    ["No such user 'Jim O'Neill'", 'No such user "…"'],
    ["Don't hesitate to reach out, it's us", "Don't hesitate to reach out, it's us"],
    ['mail to jane.doe@example.com failed', 'mail to … failed'],
    ['phone +1 (555) 010-4477 is taken', 'phone +… is taken'],
    ['HTTP 400 for 12 records', 'HTTP 400 for 12 records'],
    ['card 4111111111111111', 'card …'],
    ['GET /users/jane.doe%40shop.example returned 404', 'GET … returned 404'],
    ['jane.doe＠shop.example bounced', '… bounced'],
    ['phone 1,234,567,890 and ٤٥٣٩١٢٣٤ and 41_11_11_11', 'phone … and … and …'],
    ['card 4\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1', 'card …'],
    ['1,204 of 9,127 records', '1,204 of 9,127 records'],
    ['cut in the middle "of a val', 'cut in the middle "…"'],
    ['“curly” and `ticked` and «angled»', '"…" and "…" and "…"'],
    ['»German« and ‚low‘ and ‹single› and 「corner」', '"…" and "…" and "…" and "…"'],
    ["cannot take 'Jane Roe, 12 Elm Street", 'cannot take "…"'],
    ["b'Jane Roe' is not N'Jim'", '"…" is not "…"'],
    ['value "Jane \\"Janey\\" Roe" is wrong', 'value "…"'],
    ['Path "C:\\dir\\" and "jane doe" failed', 'Path "…"'],
    ['field "a" and "b" are \\"odd\\"', 'field "…" and "…" are \\"…"'],
    ['Invalid “Jane’s Bakery, 12 Main Street” for field Name', 'Invalid "…" for field Name'],
    ['„Jane’s Secret Name“ and «Société d’Avignon Dupont»', '"…" and "…"'],
    ['“He said ‘hi’ to Jane Doe” again', '"…" again'],
    ['„Jane “The Boss” Doe“ and «a «b» Jane Doe» here', '"…" and "…" here'],
    ['field “a” and “b” are odd', 'field "…" and "…" are odd'],
    ['“a “b” Jane Doe” and “cut in the mid', '"…" and "…"'],
    ['»Jane« and »Jim« differ', '"…" differ'],
    ['”Jane Doe” is odd', '"…"'],
    ['»Jane Doe» is odd', '"…" is odd'],
    ['›Jane Doe‹ and 《Jane》 and ＂Jane＂ and ’Jane Doe’', '"…" and "…" and "…" and "…"'],
    ["'rock ‘n‘ roll, Jane Doe' is too long", '"…" is too long'],
    ["'the boys’ toys, Jane Doe' is too long", '"…" is too long'],
    ["'the boys\\' toys, Jane Doe' is too long", '"…" is too long'],
    ["E'Jane' and rb'Jane' and _utf8'Jane' differ", '"…" and "…" and "…" differ'],
    ["Numeric value ''abc'' is not recognized: see AMOUNT", 'Numeric value "…" is not recognized: see AMOUNT'],
    ['card 4111:1111:1111:1111 of device 00:11:22:33:44:55', 'card … of device …'],
    ["value 'O''Brien Jones' is too long", 'value "…" is too long'],
    ["Key (name)=('d''Artagnan Charles') exists", 'Key (name)=("…") exists'],
    ["an empty '' is not allowed", 'an empty "…" is not allowed'],
    ['Error 400: 100 of 200 rejected at 12:30:45', 'Error 400: 100 of 200 rejected at 12:30:45'],
    ['cut behind "a backslash \\', 'cut behind "…"'],
    ['phone 555–010–4477, 555\u2011010\u20114477, 555+010+4477', 'phone …'],
    ["the users' table and rock'n'roll", "the users' table and rock'n'roll"],
  ])('%j becomes %j', (text, safe) => {
    expect(redact(text)).toBe(safe)
  })

  test('leaves no e-mail address and no long number, whatever stands around them', () => {
    fc.assert(
      fc.property(hostile, hostile, (before, after) => {
        const safe = redact(`${before} jane@example.com ${after} 0123456789`)
        expect(safe).not.toContain('jane@')
        expect(safe).not.toContain('0123456789')
      }),
    )
  })
})

describe('Markdown text', () => {
  test('is text and nothing else to a Markdown parser', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = marked.parse(`| a |\n|---|\n| ${markdown(text)} |\n`, { async: false, gfm: true })
        const tags = [...html.matchAll(/<\/?([a-z]+)/gi)].map(([, tag]) => tag)
        expect(new Set(tags)).toEqual(new Set(['table', 'thead', 'tr', 'th', 'tbody', 'td']))
        expect(html.match(/<td>/g)).toHaveLength(1)
      }),
      { numRuns: 5000 },
    )
  })

  test('shows what was meant', () => {
    const text = '- a_b *c* <d> [e](f) `g` #1 @h https://i.example www.j.example | k & l'
    const html = marked.parseInline(markdown(text), { async: false })
    const shown = html
      .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
    expect(shown.replaceAll('\u200b', '')).toBe(text)
    expect(html).not.toContain('<')
  })

  /** What GitHub's rendered HTML is searched for, once its entities are characters: as its own html-pipeline does. */
  const MENTIONS = /@[a-z0-9]|#\d|\bgh-\d/i
  test('mentions nobody and nothing, also once its entities are characters again', () => {
    const decoded = (text: string) => {
      const html = marked.parseInline(markdown(text), { async: false })
      return html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    }
    for (const text of [
      '@team',
      'ask @acme/ops',
      'é@team',
      '(@team)',
      '#1',
      'acme/shop#12',
      'row #12 and GH-7',
      'gh-7',
    ]) {
      expect(text).toMatch(MENTIONS)
      expect(decoded(text)).not.toMatch(MENTIONS)
    }
    fc.assert(
      fc.property(lacedWith(['@', '#', 'gh-', 'GH-', '1', 'team', ' ', '_', 'é', '&', '\u200b']), (text) => {
        expect(decoded(text)).not.toMatch(MENTIONS)
      }),
      { numRuns: 5000 },
    )
  })
})
