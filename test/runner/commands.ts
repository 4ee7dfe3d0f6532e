// The runner's side of workflow commands, from the behaviour of actions/runner (ActionCommand.cs, FileCommandManager.cs).

export interface Command {
  name: string
  properties: Record<string, string>
  text: string
}

/** `::name key=value::text` after any white space at the start of a line, or `##[name key=value]text` anywhere in it. */
export function parseCommand(line: string): Command | null {
  const [, name, properties, text] =
    /^\s*::([a-z][a-z-]*)((?: [^:]*?)?)::(.*)$/is.exec(line) ??
    /##\[([a-z][a-z-]*)((?: [^\]]*)?)\](.*)$/is.exec(line) ??
    []
  if (name === undefined) return null
  const pairs = (properties ?? '')
    .split(',')
    .map((pair) => pair.trim().split('='))
    .flatMap(([key, ...value]) => (key ? [[key, unescaped(value.join('='))] as const] : []))
  return { name, properties: Object.fromEntries(pairs), text: unescaped(text ?? '') }
}

function unescaped(text: string): string {
  return text
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%25', '%')
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
