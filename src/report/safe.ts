/** The one place where text from outside becomes safe to show. Everything that is not ours passes through here. */

const LONGEST = 1000

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const TERMINAL = /[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g
/** Control characters, line breaks of every kind among them, and all that separates. */
const BLANKS = /[\p{Cc}\p{Z}]+/gu
/** Formatting (bidirectional overrides, zero-width characters), what shows as nothing, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}]/gu

/**
 * One line of plain text: no line breaks, terminal sequences or invisible characters, and nothing in it that the runner would read
 * as a command: it takes `::` at the start of a line and `##[` anywhere (actions/runner, ActionCommand).
 */
export function plain(text: string, longest = LONGEST): string {
  const line = text
    .slice(0, longest * 4)
    .replace(TERMINAL, '')
    .replace(BLANKS, ' ')
    .replace(INVISIBLE, '')
    .trim()
  const short = line.length > longest ? `${sliceWhole(line, longest - 1)}…` : line
  return short.replace(/:(?=:)/g, ':\u200b').replaceAll('##[', '#\u200b#[')
}

/** Never ends in the middle of a surrogate pair. */
function sliceWhole(text: string, length: number): string {
  const cut = text.slice(0, length)
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}

const PRINTED = /“[^“”]*”|«[^«»]*»/g

/**
 * Replaces what providers quote from records into their messages: quoted values, e-mail addresses (also as they stand in a URL), long
 * numbers. What is left says what went wrong, not for whom.
 */
export function redact(text: string): string {
  return (
    // What shows as nothing might stand between two digits.
    plain(text, LONGEST * 4)
      // Behind a backslash a quote may be the end, or stand for itself: nobody knows, so all that follows is taken for quoted.
      .replace(/"(?:\\[^"]|[^"\\])*(?:\\".*$|"|\\?$)/g, '"…"')
      // Those of print may stand within one another, and open in one language what they close in the next: from the inside, and the rest.
      .replace(PRINTED, '"…"')
      .replace(PRINTED, '"…"')
      .replace(/„[^„“”]*[“”]|»[^«»]*[«»]|[“”„«»].*$/g, '"…"')
      .replace(/‹[^›]*(?:›|$)|›[^‹]*‹|「[^」]*(?:」|$)|『[^』]*(?:』|$)|《[^》]*(?:》|$)|＂[^＂]*(?:＂|$)/g, '"…"')
      .replace(/`[^`]*(?:`|$)/g, '"…"')
      .replace(/(?<![\p{L}\p{N}'])''[^']+''/gu, '"…"')
      // Within a word it is an apostrophe, two are one of SQL; before it may stand what a language or SQL writes there: b'…', _utf8'…'.
      .replace(
        /(?<![\p{L}\p{N}'’_])(?:[bBeEnNrRuUxX]|[rR][bB]|[bB][rR]|_\w+)?'(?:\\.|[^'\\]|'(?=[\p{L}\p{N}])|'')*(?:'(?![\p{L}\p{N}])|\\?$)/gu,
        '"…"',
      )
      .replace(/(?<![\p{L}\p{N}])[‘‚’](?:[^’‘]|[’‘](?=[\p{L}\p{N}]))*(?:[’‘]|$)/gu, '"…"')
      .replace(/\S+/g, (word) => (/[@＠﹫]|%40/.test(word) ? '…' : word))
      .replace(/\p{Nd}(?:[\p{Nd}\p{Pd} .,_()/+]|:(?=\p{Nd}))*\p{Nd}/gu, (number) =>
        number.replace(/\P{Nd}/gu, '').length >= 6 && !/^\d?\d:\d\d:\d\d$/.test(number) ? '…' : number,
      )
  )
}

/**
 * Text for a Markdown table cell or paragraph: shows as it is, and can be no tag, link, mention, image or markup. A backslash does not
 * keep GitHub from linking `https://…` or `www.…`; an entity does. It looks for `@team`, `jane@example.com`, `#1` and `GH-1` only after
 * entities have become what they stand for (github/cmark-gfm#181): something of no width behind the mark keeps it from finding them.
 */
export function markdown(text: string, longest = LONGEST): string {
  return plain(text, longest)
    .replace(/[&<>@#]|:(?=\/\/)|(?<=www)\./gi, (mark) => `&#${mark.charCodeAt(0)};`)
    .replace(/&#64;|&#35;(?=\d)|\bGH-(?=\d)/gi, '$&\u200b')
    .replace(/[\\`*_[\]~$|!]/g, '\\$&')
    .replace(/^(?:[-+=]|\d+(?=[.)]))/, '\u200b$&')
}

/** All but letters, digits, blanks, pictures, and what joins the parts of a name. */
const MEANS_SOMETHING =
  /[^\p{L}\p{M}\p{N}\p{Extended_Pictographic} ·_.-]|(?<![\p{L}\p{N}])[_.-]|[_.-](?![\p{L}\p{N}])/gu

/**
 * The label of a Mermaid node, to be put in quotes. Whatever might be a quote, a bracket, a tag, Markdown or a directive is written as
 * its number, which Mermaid shows as the character.
 */
export function mermaid(text: string, longest = 80): string {
  return plain(text, longest).replace(MEANS_SOMETHING, (mark) => `#${mark.codePointAt(0)};`)
}
