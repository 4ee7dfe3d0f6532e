import { describe, expect, test } from 'vitest'
import { parseCommand, parseFileCommands } from './commands.ts'

describe('a line', () => {
  test.each([
    ['::error::a', { name: 'error', properties: {}, text: 'a' }],
    ['::error title=a::b', { name: 'error', properties: { title: 'a' }, text: 'b' }],
    ['::error title=a::b::c', { name: 'error', properties: { title: 'a' }, text: 'b::c' }],
    ['::error file=a.ts,line=1::b', { name: 'error', properties: { file: 'a.ts', line: '1' }, text: 'b' }],
    ['::error title=a=b::c', { name: 'error', properties: { title: 'a=b' }, text: 'c' }],
    [
      '::set-output name=conclusion::success',
      { name: 'set-output', properties: { name: 'conclusion' }, text: 'success' },
    ],
    ['::endgroup::', { name: 'endgroup', properties: {}, text: '' }],
    ['::stop-commands::x', { name: 'stop-commands', properties: {}, text: 'x' }],
    ['::ERROR::a', { name: 'ERROR', properties: {}, text: 'a' }],
    ['##[error]a', { name: 'error', properties: {}, text: 'a' }],
    ['any text ##[error]a', { name: 'error', properties: {}, text: 'a' }],
    ['[0:07] 8290 ##[add-mask]a ##[error]b', { name: 'add-mask', properties: {}, text: 'a ##[error]b' }],
    ['##[error title=a]b', { name: 'error', properties: { title: 'a' }, text: 'b' }],
    ['any :: text ##[group]a', { name: 'group', properties: {}, text: 'a' }],
  ])('such as %j is a command', (line, command) => {
    expect(parseCommand(line)).toEqual(command)
  })

  test.each([' ', '\t', '  \t ', '\u00a0', '\u2003', '\u3000', '\v\f'])(
    'is a command after white space such as %j',
    (space) => {
      expect(parseCommand(`${space}::error::a`)).toEqual({ name: 'error', properties: {}, text: 'a' })
    },
  )

  test.each([
    ['100%25', '100%'],
    ['a%0Ab', 'a\nb'],
    ['a%0D%0Ab', 'a\r\nb'],
    ['%250A', '%0A'],
    ['%', '%'],
    ['%zz', '%zz'],
  ])('has its text %j unescaped to %j', (escaped, text) => {
    expect(parseCommand(`::error::${escaped}`)?.text).toBe(text)
  })

  test.each([
    ['a%3A b%2C c', 'a: b, c'],
    ['100%25', '100%'],
    ['a%0Ab', 'a\nb'],
    ['%253A', '%3A'],
  ])('has its property %j unescaped to %j', (escaped, value) => {
    expect(parseCommand(`::error title=${escaped}::x`)?.properties).toEqual({ title: value })
  })

  test.each([
    '',
    'a',
    '::',
    '::::',
    ':: ::',
    '::error',
    '::error:',
    ':error::a',
    'text ::error::a',
    '[0:07] ::error::a',
    ':\u200b:error:\u200b:a',
    '#[error]a',
    '##error',
    '##[error',
    '##[]a',
    '## [error]a',
    '#\u200b#[error]a',
    '\u200b::error::a',
  ])('such as %j is no command', (line) => {
    expect(parseCommand(line)).toBeNull()
  })
})

describe('a file of commands', () => {
  test.each([
    ['nothing', '', {}],
    ['empty lines', '\n\n', {}],
    ['a pair', 'a=b\n', { a: 'b' }],
    ['a pair with more of them', 'a=b=c\n', { a: 'b=c' }],
    ['a pair without a value', 'a=\n', { a: '' }],
    ['a pair that looks like a heredoc', 'a=b<<c\n', { a: 'b<<c' }],
    ['a heredoc', 'a<<EOF\nb\nEOF\n', { a: 'b' }],
    ['a heredoc of many lines', 'a<<EOF\nb\n\n c \nEOF\n', { a: 'b\n\n c ' }],
    ['an empty heredoc', 'a<<EOF\nEOF\n', { a: '' }],
    ['a heredoc with commands in it', 'a<<EOF\nb=c\nd<<E\n::error::x\nEOF\n', { a: 'b=c\nd<<E\n::error::x' }],
    ['lines that are not quite the delimiter', 'a<<EOF\n EOF\nEOF \neof\nEOF\n', { a: ' EOF\nEOF \neof' }],
    ['several', 'a<<E\n1\nE\nb=2\nc<<E\n3\nE\n', { a: '1', b: '2', c: '3' }],
    ['a later value', 'a=1\na<<E\n2\nE\n', { a: '2' }],
    ['no line break at its end', 'a<<E\n1\nE', { a: '1' }],
    ['line breaks of Windows', 'a<<E\r\n1\r\n2\r\nE\r\nb=3\r\n', { a: '1\n2', b: '3' }],
    ['a value that closes early', 'a<<E\n1\nE\nb=2\n', { a: '1', b: '2' }],
  ])('with %s', (_what, content, values) => {
    expect(parseFileCommands(content)).toEqual(values)
  })

  test.each([
    ['a delimiter that is never closed', 'a<<EOF\nb\n', /Matching delimiter not found 'EOF'/],
    ['a delimiter that is closed in another case', 'a<<EOF\nb\neof\n', /Matching delimiter not found 'EOF'/],
    ['a delimiter before the end of the file', 'a=1\nb<<EOF', /Matching delimiter not found 'EOF'/],
    ['text that is no pair', 'a=1\nhello\n', /Invalid format 'hello'/],
    ['a heredoc without a delimiter', 'a<<\nb\n', /Invalid format 'a<<'/],
    ['a heredoc without a name', '<<EOF\nb\nEOF\n', /Invalid format '<<EOF'/],
  ])('with %s fails the step', (_what, content, message) => {
    expect(() => parseFileCommands(content)).toThrow(message)
  })
})
