/** The start line of an emitted systemd unit, as the words that the program in the container is run with. */

/** Words of `ExecStart=` by systemd.syntax(7): lines continued, double quotes with C escapes, doubled per cent and dollar signs. */
export function unitWords(unit: string): string[] {
  const [, line] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? []
  if (line === undefined) throw new Error('the unit has no ExecStart')
  return [...line.replaceAll('\\\n', ' ').matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    (quoted === undefined
      ? plain!
      : quoted.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/g, (_, code, kept) => (code ? String.fromCharCode(Number.parseInt(code, 16)) : kept))
    )
      .replaceAll('%%', '%')
      .replaceAll('$$', '$'),
  )
}

/** `docker run ... --entrypoint PROGRAM ... IMAGE WORDS` without the container: the program and its words. */
export function withoutContainer(words: readonly string[], image: RegExp): string[] {
  const place = words.findIndex((word) => image.test(word))
  const entrypoint = words[words.indexOf('--entrypoint') + 1]
  if (place < 0 || !words.includes('--entrypoint')) throw new Error(`no image in ${words.join(' ')}`)
  return [entrypoint!, ...words.slice(place + 1)]
}
