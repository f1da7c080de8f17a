/** The door of the library: data handed in, questions in, the documents of `--json` out. Nothing here needs Node, a disk or a network. */
import {catalogueOf} from '../catalogue/contents.ts'
import {type HandedFiles, handedContext, handedDocuments} from './handed.ts'
import {type Servefit, servefitOf} from './servefit.ts'

export type {Objectives} from '../planner/scenario/index.ts'
export type {PlanReport} from '../planner/plan/index.ts'
export type {Result, Verdict} from '../planner/answer/index.ts'
export type {CapacityReport, Lengths} from '../planner/capacity/index.ts'
export type {VerificationDocument} from '../planner/verify/index.ts'
export type {Deployment, Speculation, Workload} from '../core/deployment.ts'
export {InputError} from '../core/input-error.ts'
export type {CapacityLoad, CapacityQuestion} from './capacity.ts'
export type {CheckOptions, CheckResult} from './check.ts'
export type {HandedFiles} from './handed.ts'
export type {CompareQuestion, CompareReport} from './compare.ts'
export type {ConfigOptions, ConfigResult} from './config.ts'
export type {GpusReport, MachinesReport} from './hardware.ts'
export type {ModelReport, ModelsReport} from './models.ts'
export type {PlanQuestion, Question} from './question.ts'
export type {FitQuestion, Servefit} from './servefit.ts'
export type {UpgradeOptions, UpgradeReport} from './upgrade.ts'
export type {VerifyQuestion} from './verify.ts'

/** Compiled data by path below `dist/data`, without `.json`: `{models: [...], 'models/qwen3-32b': {...}}`; or a function that finds them. */
export type Data = Readonly<Record<string, unknown>> | ((path: string) => unknown)

export interface OpenOptions {
  /** Texts by the paths that questions name them with: a `config.json`, what `nvidia-smi` printed. */
  files?: HandedFiles
}

/** Opens compiled data. */
export function open(data: Data, {files}: OpenOptions = {}): Servefit {
  const source = typeof data === 'function' ? data : (path: string) => (Object.hasOwn(data, path) ? data[path] : undefined)
  const catalogue = catalogueOf({
    has: (path) => source(path) !== undefined,
    read: (path) => {
      const value = source(path)
      if (value === undefined) throw new Error(`the data that was handed in has no ${path}`)
      return value
    },
  })
  return servefitOf(handedContext(catalogue, files), handedDocuments(files))
}
