const GIB = 1024 ** 3
const MIB = 1024 ** 2

/** Bytes for a sentence: 17.9 GiB, 1,003 GiB, 312 MiB. */
export function bytesInWords(bytes: number): string {
  const magnitude = Math.abs(bytes)
  if (magnitude < GIB) return `${Math.max(magnitude > 0 ? 1 : 0, Math.round(bytes / MIB))} MiB`
  const gib = bytes / GIB
  return `${Math.abs(gib) >= 1000 ? countInWords(gib) : gib.toFixed(1)} GiB`
}

/** 170,400. Not by the locale's formatter, which takes longer to make than the answer to find. */
export const countInWords = (count: number): string => String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** Milliseconds as people say them: 9.3 ms, 420 ms, 1.4 s, 3 min. */
export function timeInWords(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return `${Math.round(ms / 60_000)} min`
}
