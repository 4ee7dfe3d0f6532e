import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entriesOf, parseBytes } from '../../src/dbt/json.ts'

const parsed = (text: string) =>
  Object.fromEntries([...entriesOf(Buffer.from(text))].map(({ key, value }) => [key, parseBytes(value)]))

describe('walking over an object', () => {
  test('finds what a parser finds, in any layout', () => {
    const objects = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, '\t', '\r\n  '), fc.boolean(), (object, indent, mark) => {
        const text = `${mark ? '\ufeff' : ''} ${JSON.stringify(object, null, indent)}\n`
        expect([...entriesOf(Buffer.from(text))].map(({ key, value }) => [key, parseBytes(value)])).toEqual(
          Object.entries(JSON.parse(JSON.stringify(object))),
        )
      }),
    )
  })

  test.each([
    '{"a": 1, "b": [1, {"c": "}"}], "d": "\\\\\\""}',
    '{ }',
    '{"a":{"b":{}},"":null}',
    '{"\\u0061\\n": true}',
  ])('%s', (text) => {
    expect(parsed(text)).toEqual(JSON.parse(text))
  })

  test('leaves alone what is wrong inside of values', () => {
    expect([...entriesOf(Buffer.from('{"a": {"x": NaN, []}, "b": 1}'))].map(({ key }) => key)).toEqual(['a', 'b'])
  })

  test('every beginning of a file is told from the whole', () => {
    const whole = '{"a": [1, {"b": "c"}], "d": "\\"e\\\\"}'
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => parsed(whole.slice(0, length)), whole.slice(0, length)).toThrow(SyntaxError)
    }
    expect(parsed(whole)).toEqual(JSON.parse(whole))
  })

  test.each([
    '[]',
    '"a"',
    'null',
    '{"a" 1}',
    '{"a": 1 "b": 2}',
    '{"a": 1}}',
    '{"a": 1} x',
    '{a: 1}',
    '{,}',
    '{"a":1,}',
  ])('refuses %s', (text) => {
    expect(() => parsed(text)).toThrow(SyntaxError)
  })

  test('what is left is said to be there, without showing much of it', () => {
    expect(() => parsed('{"a": 1} secret-value-that-goes-on')).toThrow('expected the end, found "secret-value')
  })
})
