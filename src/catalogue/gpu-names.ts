/** Words that drivers, shops and people add or leave out at will. `Laptop GPU` and `Max-Q` are other products and stay. */
const vendorWords = /\b(?:nvidia|corporation|geforce|tesla|amd|radeon|instinct|intel|graphics|apple|huawei|ascend)\b/g

/** A name without vendor words, trade marks, case, spaces and punctuation; nothing but vendor words stays as it is. */
export function plainName(name: string): string {
  const lower = name.toLowerCase().replace(/\((?:r|tm)\)|[®™]/g, ' ')
  const kept = lower.replace(vendorWords, ' ').replace(/[^a-z0-9]/g, '')
  return kept === '' ? lower.replace(/[^a-z0-9]/g, '') : kept
}
