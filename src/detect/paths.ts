/** Paths of another machine by their text: what a pasted output tells of is read where Node's own module is not there. */

const isWindows = (platform: string | undefined): boolean => platform === 'win32'

/** A path below another, in the words of its platform. */
export function joined(platform: string | undefined, first: string, ...others: string[]): string {
  const path = [first, ...others].join('/')
  // Two at the front name a share of the network.
  return isWindows(platform) ? path.replaceAll('/', '\\').replaceAll(/(?<=.)\\{2,}/g, '\\') : path.replaceAll(/\/{2,}/g, '/')
}

/** The directory that a path lies in; a root is its own. */
export function parentOf(platform: string | undefined, path: string): string {
  const [, root = '', below = ''] = (isWindows(platform) ? /^((?:[a-z]:)?[\\/]*)(.*)$/is : /^(\/*)(.*)$/s).exec(path)!
  const parts = below.replace(isWindows(platform) ? /[\\/]+$/ : /\/+$/, '')
  const at = Math.max(parts.lastIndexOf('/'), isWindows(platform) ? parts.lastIndexOf('\\') : -1)
  const parent = root + (at < 0 ? '' : parts.slice(0, at))
  return parent === '' ? '.' : parent
}
