import {readFileSync} from 'node:fs'
import {importConfig, type ImportInput} from '../../src/catalogue/import/import-config.ts'
import {parseTolerantJson} from '../../src/catalogue/import/tolerant-json.ts'

type Config = Record<string, unknown>

/** A configuration reduced to the fields that matter, written from the publisher's facts. */
export const fixture = (name: string): Config =>
  parseTolerantJson(readFileSync(new URL(`../fixtures/configs/${name}.json`, import.meta.url), 'utf8'), name) as Config

/** What the importer makes of a fixture, some fields changed. */
export const imported = (name: string, change: Config = {}, more: Omit<ImportInput, 'config'> = {}) =>
  importConfig({config: {...fixture(name), ...change}, ...more})
