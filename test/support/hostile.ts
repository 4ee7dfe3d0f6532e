import fc from 'fast-check'

/** Text in which pieces that mean something somewhere stand between random characters, halves of characters among them. */
export function lacedWith(pieces: readonly string[]): fc.Arbitrary<string> {
  return fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 12 })
    .map((parts) => parts.join(''))
}
