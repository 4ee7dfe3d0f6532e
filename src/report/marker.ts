/**
 * What the action remembers in a text on GitHub: a comment of HTML, which nobody sees. Whatever in it could end the comment, mention
 * somebody or lead to an issue is written as a number.
 */
export function markerOf(kind: string, data: unknown): string {
  const json = JSON.stringify(data).replace(/[<>&@#]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)
  return `<!-- post-transform-sync ${kind} ${json} -->`
}

/** What stands in the first marker of this kind; null where there is none. Anybody may have written it: it is to be checked. */
export function readMarker(kind: string, text: string): unknown {
  const [, json] = new RegExp(`<!-- post-transform-sync ${kind} (.*?) -->`, 's').exec(text) ?? []
  try {
    return json === undefined ? null : JSON.parse(json)
  } catch {
    return null
  }
}
