import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'
import type {Accelerator} from '../../src/core/accelerator.ts'
import {checkGpuFile} from '../../src/catalogue/gpu-schema.ts'
import {checkMachineFile} from '../../src/catalogue/machine-schema.ts'
import type {System} from '../../src/catalogue/system.ts'

const dataFolder = join(import.meta.dirname, '../../data')

/** Content of every YAML file under `data/<folder>`, by path from `data`, in order. */
export function readDataFiles(folder: string): {path: string; value: Record<string, unknown>}[] {
  const paths = readdirSync(join(dataFolder, folder), {recursive: true, encoding: 'utf8'})
  const files = paths.filter((path) => path.endsWith('.yaml')).sort()
  return files.map((path) => ({path: `${folder}/${path}`, value: parse(readFileSync(join(dataFolder, folder, path), 'utf8'))}))
}

/** The whole catalogue of GPUs; files with problems are left out, since a test of their own reports them. */
export const readGpus = (): Accelerator[] => readDataFiles('gpus').flatMap(({path, value}) => checkGpuFile(path, value).accelerator ?? [])

export const readSystems = (): System[] => readDataFiles('machines').flatMap(({path, value}) => checkMachineFile(path, value).system ?? [])
