import { plural } from './format.ts'

/** A part of a page, and of how many syncs it tells. */
export interface Part {
  text: string
  syncs: number
}

/** Room for the sentence that says how much is left out. Bytes. */
const SENTENCE = 100

/** A text of limited size, to which parts are added in their order. */
export class Page {
  text = ''
  #left: number

  /** `most`: bytes, in UTF-8. */
  constructor(most: number) {
    this.#left = most
  }

  add(text: string): void {
    this.text += text
    this.#left -= sizeOf(text)
  }

  /**
   * As many parts as there is room for in a share of what is left, and at most `most`; of how many syncs the others tell is said. Nothing
   * where there are no parts.
   */
  list(parts: readonly Part[], frame: { share: number; most?: number; before?: string; after?: string }): void {
    const { share, most = parts.length, before = '', after = '' } = frame
    if (parts.length === 0) return
    let room = this.#left * share - sizeOf(before) - sizeOf(after) - SENTENCE
    const fitting = parts.slice(0, most).filter(({ text }) => {
      room -= sizeOf(text)
      return room >= 0
    })
    const rest = parts.slice(fitting.length).reduce((sum, { syncs }) => sum + syncs, 0)
    const more = rest === 0 ? '' : `\n… and ${plural(rest, 'more sync', 'more syncs')}.\n\n`
    this.add(before + fitting.map(({ text }) => text).join('') + more + after)
  }
}

export function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length
}
