// Holds the promises, the tests that prove them, and the table between the two together.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../runner/runner.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const GUARANTEES = read('docs/guarantees.md')
const README = read('test/README.md')

/** The cells of every row of a table that begins with an id. */
function rowsOf(text: string): { id: string; cells: string[] }[] {
  return [...text.matchAll(/^\| `([a-z0-9-]+)` \| (.*) \|$/gm)].map(([, id = '', rest = '']) => {
    return { id, cells: rest.split(' | ') }
  })
}

/** `file`: name, one or more, apart by line breaks. */
function proofsOf(cell: string): { file: string; name: string }[] {
  return cell.split('<br>').map((proof) => {
    const [, file = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(proof) ?? []
    return { file, name }
  })
}

const promised = rowsOf(GUARANTEES)
const proven = rowsOf(README)

test('every fault has one row in the table of promises and one in the table of tests', () => {
  const ids = promised.map(({ id }) => id)
  expect(ids.length).toBeGreaterThan(100)
  expect(new Set(ids).size).toBe(ids.length)
  expect(proven.map(({ id }) => id)).toEqual(ids)
})

test('every fault names guarantees that there are', () => {
  const numbers = [...GUARANTEES.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number))
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  const named = promised.flatMap(({ cells }) => (cells.at(-1) ?? '').split(', ').map(Number))
  expect([...new Set(named)].sort((a, b) => a - b)).toEqual(numbers)
})

test('every test that proves a fault is there, under this name', () => {
  const missing = proven.flatMap(({ id, cells }) => {
    const [cell = ''] = cells
    if (cell.startsWith('Not here: ')) return []
    return proofsOf(cell).flatMap(({ file, name }) => {
      if (!existsSync(join(ROOT, file))) return [`${id}: there is no file ${file}`]
      const text = read(file)
      const isThere = ["'", '"', '`'].some((mark) => text.includes(`${mark}${name}${mark}`))
      return isThere ? [] : [`${id}: ${file} has no test "${name}"`]
    })
  })
  expect(missing).toEqual([])
})

test('every test of this folder belongs to a row', () => {
  const files = readdirSync(join(ROOT, 'test/faults')).filter(
    (name) => name.endsWith('.test.ts') && name !== 'matrix.test.ts',
  )
  const known = new Set(proven.map(({ id }) => id))
  const strangers = files.flatMap((file) => {
    const titles = read(`test/faults/${file}`).matchAll(/^\s*(?:test|withSignals|onLinux)\(\s*'([^':]+):/gm)
    return [...titles].flatMap(([, id = '']) => (known.has(id) ? [] : [`${file}: ${id}`]))
  })
  expect(strangers).toEqual([])
})
