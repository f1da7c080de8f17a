import {compareVersions, isAtLeast} from './versions.ts'

/** Whether a rule applies to a release: both ends are inside. */
export const inRange = ({since, until}: {since?: string; until?: string}, version: string): boolean =>
  (since === undefined || isAtLeast(version, since)) && (until === undefined || compareVersions(version, until) <= 0)
