// The runner's side of workflow commands, from the behaviour of actions/runner (ActionCommand.cs, FileCommandManager.cs).

export interface Command {
  name: string
  properties: Record<string, string>
  text: string
}

/** `::name key=value::text` after any white space at the start of a line, or `##[name key=value]text` anywhere in it. */
export function parseCommand(line: string): Command | null {
  // .NET trims U+0085, too, which is no white space to JavaScript.
  const [, name, properties, text] = /^[\s\u0085]*::([a-z][a-z-]*)(?:\s+(.*?))?::(.*)$/is.exec(line) ?? []
  if (name !== undefined)
    return { name, properties: parseProperties(properties ?? '', ','), text: decode(text ?? '', DATA) }
  const [, old, oldProperties, oldText] = /##\[([a-z][a-z-]*)(?:\s+([^\]]*))?\](.*)$/is.exec(line) ?? []
  if (old === undefined) return null
  return { name: old, properties: parseProperties(oldProperties ?? '', ';'), text: decode(oldText ?? '', DATA) }
}

function parseProperties(text: string, separator: string): Record<string, string> {
  const pairs = text.split(separator).map((pair) => pair.trim().split('='))
  return Object.fromEntries(pairs.flatMap(([key, ...value]) => (key ? [[key, decode(value.join('='), PROPERTY)]] : [])))
}

const DATA = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%25', '%'],
] as const
const PROPERTY = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%3A', ':'],
  ['%2C', ','],
  ['%3B', ';'],
  ['%5D', ']'],
  ['%25', '%'],
] as const

function decode(text: string, escapes: readonly (readonly [string, string])[]): string {
  return escapes.reduce((decoded, [code, character]) => decoded.replaceAll(code, character), text)
}

/** The content of GITHUB_OUTPUT or GITHUB_STATE; later values win. A delimiter that is never closed fails the step, so it throws. */
export function parseFileCommands(content: string): Record<string, string> {
  const values: Record<string, string> = {}
  const lines = content.split(/\r?\n/)
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const [, name, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (name === undefined || delimiter === undefined) {
      const [key, ...value] = line.split('=')
      if (key === undefined || value.length === 0) throw new Error(`Invalid format '${line}'`)
      values[key] = value.join('=')
      continue
    }
    const end = lines.indexOf(delimiter, at + 1)
    if (end === -1) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
    values[name] = lines.slice(at + 1, end).join('\n')
    at = end
  }
  return values
}
