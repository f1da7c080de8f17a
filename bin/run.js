#!/usr/bin/env node
// A shell that asks for completions at the press of a key is answered without loading the rest.
if (process.argv[2] === '__complete') (await import('../dist/completion.js')).answer(process.argv.slice(3))
else {
  // Help is as wide as all other text where COLUMNS is set: oclif asks for its own variable as it is loaded.
  if (process.env.COLUMNS) process.env.OCLIF_COLUMNS ??= process.env.COLUMNS
  await (await import('../dist/main.js')).start(import.meta.url)
}
