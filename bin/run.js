#!/usr/bin/env node
// Help is as wide as all other text where COLUMNS is set: oclif asks for its own variable as it is loaded.
if (process.env.COLUMNS) process.env.OCLIF_COLUMNS ??= process.env.COLUMNS
const {start} = await import('../dist/main.js')

await start(import.meta.url)
