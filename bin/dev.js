#!/usr/bin/env node
// Builds what changed, then runs as bin/run.js does.
import {execFileSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'

execFileSync(process.execPath, [fileURLToPath(new URL('../src/build/run.mjs', import.meta.url)), 'build'], {stdio: ['ignore', 'ignore', 'inherit']})
const {start} = await import('../dist/main.js')
await start(import.meta.url)
