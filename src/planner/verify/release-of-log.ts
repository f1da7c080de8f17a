/** The release that a log is judged by, where it names none or a build of main. */
import type {Warning} from '../../core/terms.ts'
import {compareVersions} from '../../engines/versions.ts'
import type {LogReport} from '../../verify/log-report.ts'
import {type LineTable, type ReleaseDays, releaseByLines, releaseOfDay} from '../../verify/release-lines.ts'
import type {Context} from '../world/index.ts'

/** Fewer messages at their very place may stand there by chance. */
const LEAST_EXACT = 2

/** Main is ahead of the release that its tag names, and a tag of candidates may be of the next one: the minor before is the earliest. */
function isAfterTag(version: string): (release: string) => boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  const earliest = `${major}.${Math.max(0, Number(minor) - 1)}.0`
  return (release) => compareVersions(release, earliest) >= 0
}

/**
 * What the log prints, but where its messages stand in the source says it better: a build of main is as new as the release that most of them stand
 * nearest to, and a log without a version is of the release that has them where they are. Where neither is to be had, a day is: most run what was the
 * newest then.
 */
export function releaseOfLog(context: Context, {engine, engineVersion, day, sourceLines = []}: LogReport, warnings: Warning[]): string | undefined {
  if (engineVersion === undefined && day !== undefined) {
    const release = releaseOfDay(context.catalogue.file<ReleaseDays>(`log-lines/days-${engine}`), day)
    if (release !== undefined)
      warnings.push({
        code: 'engine-version-from-day',
        message: `the log does not say which release ran: ${release}, the newest on ${day}, is assumed (--engine-version)`,
      })
    return release
  }
  const ofMain = engineVersion !== undefined && /dev/i.test(engineVersion)
  if (engine !== 'vllm' || sourceLines.length === 0 || (engineVersion !== undefined && !ofMain)) return engineVersion
  const untagged = engineVersion === undefined || /^v?0\.(?:1|0\.0)\./.test(engineVersion)
  const table = context.catalogue.file<LineTable>('log-lines/vllm')
  const found = releaseByLines(table, sourceLines, untagged ? undefined : isAfterTag(engineVersion))
  if (!found) return engineVersion
  if (engineVersion === undefined) {
    if (found.exact < LEAST_EXACT || found.exact * 2 < found.seen) return undefined
    warnings.push({
      code: 'engine-version-from-lines',
      message: `the log does not say which release ran: ${found.exact} of ${found.seen} of its messages come from the source lines of ${found.release}`,
    })
    return found.release
  }
  if (found.nearest * 2 < found.seen) return engineVersion
  warnings.push({
    code: 'engine-version-from-lines',
    message: `${engineVersion} is a build of main: the source lines of its messages are nearest to ${found.release} (${found.nearest} of ${found.seen}), whose rules are used`,
  })
  return found.release
}
