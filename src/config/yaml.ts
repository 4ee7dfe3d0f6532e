/** A value of a YAML file with its place, which counts from 1. */
export type Value = Place &
  (
    | { type: 'string' | 'boolean' | 'null'; text: string }
    /** `text` is the number as it is written: an id keeps its digits. */
    | { type: 'number'; text: string }
    | { type: 'list'; items: Value[] }
    | { type: 'mapping'; entries: { key: string; place: Place; value: Value }[] }
  )

export interface Place {
  line: number
  column: number
}

export interface Flaw {
  place: Place
  text: string
}

/** Where the library speaks to programmers. */
const WORDS: Partial<Record<string, string>> = {
  MULTIPLE_DOCS: 'A second document begins here, and only one is read',
  RESOURCE_EXHAUSTION: 'The values are nested too deeply',
}

/** Reads YAML 1.2. Aliases are refused: nobody needs them here, and a few of them can stand for billions of values. */
export async function readYaml(text: string): Promise<{ value: Value | null; flaws: Flaw[] }> {
  // Loaded only here: most steps have no config file.
  const yaml = await import(/* webpackMode: "eager" */ 'yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    prettyErrors: false,
    intAsBigInt: true,
    // Who reads the entries says which key is there twice; to look for it here takes a time that grows with their square.
    uniqueKeys: false,
    // Not even `%YAML 1.1` turns the word off into a boolean.
    schema: 'core',
  })
  const flaws: Flaw[] = []
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  for (const { pos, code, message } of document.errors) {
    const [first = ''] = message.split('\n')
    flaws.push({ place: placeAt(pos[0]), text: `${WORDS[code] ?? shorten(first)}.` })
  }

  const convert = (node: unknown, parent: Place): Value => {
    const place = yaml.isNode(node) && node.range ? placeAt(node.range[0]) : parent
    if (yaml.isAlias(node))
      flaws.push({
        place,
        text: `*${shorten(node.source)} is an alias, and this file takes none: write the value itself.`,
      })
    if (yaml.isSeq(node)) return { ...place, type: 'list', items: node.items.map((item) => convert(item, place)) }
    if (yaml.isMap(node)) {
      const entries = node.items.map(({ key, value }) => {
        const at = convert(key, place)
        return { key: yaml.isScalar(key) ? String(key.value) : '', place: at, value: convert(value, at) }
      })
      return { ...place, type: 'mapping', entries }
    }
    const scalar = yaml.isScalar(node) ? node : null
    const value = scalar?.value ?? null
    if (value === null) return { ...place, type: 'null', text: '' }
    if (typeof value === 'number' || typeof value === 'bigint') {
      return { ...place, type: 'number', text: scalar?.source ?? String(value) }
    }
    return { ...place, type: typeof value === 'boolean' ? 'boolean' : 'string', text: String(value).trim() }
  }
  const value = flaws.length > 0 ? null : convert(document.contents, { line: 1, column: 1 })
  return { value: flaws.length > 0 ? null : value, flaws }
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
