import { describe, expect, test } from 'vitest'
import type { ChangedFile } from '../../src/core/change.ts'
import { changeOf } from '../../src/dbt/change.ts'
import { lineageOnly } from '../../src/dbt/evidence.ts'
import { found, manifest, model, node, type Part, source } from '../support/dbt.ts'

const PARTS: Part[] = [
  source('orders'),
  node('seed.shop.countries', [], { original_file_path: 'seeds/countries.csv' }),
  model('stg_orders', ['source.shop.raw.orders'], { original_file_path: 'models/staging/stg_orders.sql' }),
  model('orders', ['model.shop.stg_orders', 'seed.shop.countries']),
  model('customers', ['model.shop.stg_orders']),
  model('alone'),
  node('model.utils.dates', [], { original_file_path: 'models/dates.sql' }),
]

/** Files that are still there, or that are `-gone`. */
const filesOf = (paths: string[]): ChangedFile[] =>
  paths.map((path) => ({ path: path.replace(/^-/, ''), isGone: path.startsWith('-') }))

function change(files: string[], place = 'target', parts: readonly Part[] = PARTS) {
  return changeOf(filesOf(files), lineageOnly([found({ manifest: manifest(parts) }, place)]))
}

describe('a change of files', () => {
  test('touches the models, seeds and snapshots that are in them', () => {
    expect(change(['models/orders.sql', 'seeds/countries.csv', 'README.md']).models).toEqual([
      'model.shop.orders',
      'seed.shop.countries',
    ])
    expect(change([]).models).toEqual([])
  })

  test('touches no model of a package, which is installed and not in the repository', () => {
    expect(change(['models/dates.sql', 'dbt_packages/utils/models/dates.sql']).models).toEqual([])
  })

  test('is looked for in the folder of the project', () => {
    const files = ['warehouse/models/orders.sql', 'other/models/customers.sql', 'models/alone.sql']
    expect(change(files, 'warehouse/target').models).toEqual(['model.shop.orders'])
  })

  test('is found by the end of its path where dbt’s files come from elsewhere', () => {
    expect(change(['warehouse/models/orders.sql'], 'artifacts').models).toEqual(['model.shop.orders'])
    expect(change(['warehouse/more-models/orders.sql', 'models/orders.sql.md'], 'artifacts').models).toEqual([])
  })

  test('is looked for in each project by itself', () => {
    const own = [model('one_a', [], { original_file_path: 'models/one_a.sql' })]
    const other = [node('model.two.two_a', [], { original_file_path: 'models/two_a.sql' })]
    const projects = lineageOnly([
      found({ manifest: manifest(own) }, 'one/target'),
      found({ manifest: manifest(other, { project: 'two' }) }, 'downloaded/two'),
    ])
    expect(changeOf(filesOf(['one/models/one_a.sql', 'two/models/two_a.sql']), projects).models).toEqual([
      'model.shop.one_a',
      'model.two.two_a',
    ])
  })

  test('may have paths as Windows writes them in the manifest', () => {
    const parts = [model('orders', [], { original_file_path: 'models\\marts\\orders.sql' })]
    expect(change(['models/marts/orders.sql'], 'target', parts).models).toEqual(['model.shop.orders'])
  })

  test('feeds a model that is touched, or made of what is touched', () => {
    const { feeding } = change(['models/staging/stg_orders.sql', 'seeds/countries.csv'])
    expect(feeding(['model.shop.orders'])).toEqual(['model.shop.stg_orders', 'seed.shop.countries'])
    expect(feeding(['model.shop.customers'])).toEqual(['model.shop.stg_orders'])
    expect(feeding(['model.shop.stg_orders'])).toEqual(['model.shop.stg_orders'])
    expect(feeding(['model.shop.alone', 'model.shop.unknown'])).toEqual([])
  })

  test.each([
    ['a model', ['-models/marts/old.sql'], ['old']],
    [
      'models of all kinds, in any project',
      ['-shop/models/a.py', '-shop/seeds/b.csv', '-snapshots/c.sql'],
      ['a', 'b', 'c'],
    ],
    ['a model in a folder of another name', ['-transform/old.sql'], []],
    ['one that has only moved', ['-models/old/orders.sql', 'models/orders.sql'], []],
    ['one that has another name now', ['-models/purchases.sql', 'models/orders.sql'], ['purchases']],
    ['what is no model', ['-models/old.yml', '-macros/cents.sql', '-README.md', '-models.sql', '-models/.sql'], []],
    ['what is still there', ['models/unknown.sql'], []],
  ])('removes what its files say: %s', (_what, files, names) => {
    expect(change(files).removed).toEqual(names)
  })

  test('removes models where the project has others', () => {
    const parts = [model('orders', [], { original_file_path: 'transform/orders.sql' })]
    expect(change(['-warehouse/transform/old.sql'], 'warehouse/target', parts).removed).toEqual(['old'])
  })

  test('is followed through a chain of any length, and through a circle', () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => model(`m${at}`, [`model.shop.m${at + 1}`]))
    const circle = [model('a', ['model.shop.b']), model('b', ['model.shop.a'])]
    const { feeding } = change(['models/m19999.sql', 'models/b.sql'], 'target', [...chain, ...circle])
    expect(feeding(['model.shop.m0'])).toEqual(['model.shop.m19999'])
    expect(feeding(['model.shop.a'])).toEqual(['model.shop.b'])
  })
})
