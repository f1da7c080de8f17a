/** The release that a log is of, by where its messages stand in the source: each line of a log names the file and the line that printed it. */

/** `data/log-lines/<engine>.yaml`. */
export interface LineTable {
  messages: {
    file: string
    text: string
    /** By release; two where the message stands in the file twice. */
    lines: Record<string, number | number[]>
  }[]
}

/** `log-lines/days-<engine>`: releases and the days they came out, oldest first. */
export type ReleaseDays = [release: string, day: string][]

/** The newest release of that day, which most starts of the day are of; undefined before the first. Days as 2026-01-31. */
export const releaseOfDay = (releases: ReleaseDays, day: string): string | undefined => releases.findLast(([, released]) => released <= day)?.[0]

/** One message as a log prints it. */
export interface SourceLine {
  file: string
  line: number
  text: string
}

/** `[gpu_worker.py:560] Available ...`, some releases with the folders in front; up to 0.8.1 `INFO 02-26 09:54:02 worker.py:267] ...`. */
export function sourceLineIn(text: string): SourceLine | undefined {
  const match = /(?:\[(?:[\w/]+\/)?|\d\d:\d\d:\d\d )([a-z_]{1,40}\.py):(\d{1,6})\]\s+(.{1,80})/.exec(text)
  return match ? {file: match[1]!, line: Number(match[2]), text: match[3]!} : undefined
}

export interface ReleaseByLines {
  release: string
  /** Messages whose place was known, those that stand nearest to where this release has them, and those that stand there exactly. */
  seen: number
  nearest: number
  exact: number
}

/**
 * The release that most messages stand nearest to; undefined where none of them is known. Patch releases that do not differ are one: the earliest is
 * named. `from`: releases before it are left out.
 */
export function releaseByLines(
  {messages}: LineTable,
  lines: readonly SourceLine[],
  isCandidate: (release: string) => boolean = () => true,
): ReleaseByLines | undefined {
  const votes = new Map<string, {nearest: number; exact: number; distance: number}>()
  let seen = 0
  for (const {file, text, lines: places} of messages) {
    const own = lines.find((one) => one.file === file && one.text.includes(text))
    const releases = Object.entries(places).filter(([release]) => isCandidate(release))
    if (!own || releases.length === 0) continue
    seen += 1
    const distances = releases.map(([release, places]): [string, number] => [release, Math.min(...[places].flat().map((place) => Math.abs(place - own.line)))])
    const least = Math.min(...distances.map(([, distance]) => distance))
    for (const [release, distance] of distances) {
      const vote = votes.get(release) ?? {nearest: 0, exact: 0, distance: 0}
      votes.set(release, {
        nearest: vote.nearest + (distance === least ? 1 : 0),
        exact: vote.exact + (distance === 0 ? 1 : 0),
        distance: vote.distance + distance / own.line,
      })
    }
  }
  const [best] = [...votes].sort(([, a], [, b]) => b.nearest - a.nearest || a.distance - b.distance)
  return best && {release: best[0], seen, nearest: best[1].nearest, exact: best[1].exact}
}
