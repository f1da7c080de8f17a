/** What an agent may ask, over the library: one tool for each command that answers. */
import type {Documented} from '../cli/documents.ts'
import {InputError} from '../core/input-error.ts'
import {
  capacityInput,
  checkInput,
  compareInput,
  configInput,
  modelInput,
  modelsInput,
  nameInput,
  noInput,
  type ObjectSchema,
  planInput,
  upgradeInput,
  verifyInput,
} from './input-schemas.ts'
import type {LocalServefit, UpgradeOptions} from '../node/index.ts'
import {shortened} from './shortened.ts'

type Given = Record<string, unknown>

export interface Tool {
  name: string
  title: string
  description: string
  input(): Promise<ObjectSchema>
  /** Name of the document that it answers with. */
  document: Documented
  answer(servefit: LocalServefit, given: Given): Promise<object>
}

/** Plans and models that are listed where nobody says how many: an agent pays for each. */
const PLANS = 5
const MODELS = 20

const LONG = 'Terms and parts are left out unless explain is true.'

export const TOOLS: readonly Tool[] = [
  {
    name: 'check',
    title: 'Does a model fit?',
    description: `Whether a model fits a machine under a load: verdict (fits, tight, too-slow, does-not-fit, unsupported) with reasons and remedies, memory per GPU, the longest context, how many users, time to the first token, tokens per second with intervals. Also judges an engine's own command (command: ["vllm", "serve", ...]). A verdict of no is an answer, not an error. ${LONG}`,
    input: checkInput,
    document: 'result',
    answer: (servefit, {explain, simulate, ...question}) => servefit.check(question, withoutAbsent({simulate})).then(shortened(explain)),
  },
  {
    name: 'plan',
    title: 'The best deployment',
    description: `The best engine, checkpoint, layout and load for a model on a machine, within latency limits (slo), best first. Without workload.concurrency every load from 1 to 512 requests in flight is tried. Where none keeps the limits, reach says what would. ${LONG}`,
    input: planInput,
    document: 'plan',
    answer: async (servefit, {explain, most = PLANS, ...question}) => {
      if (!Number.isInteger(most) || (most as number) < 1)
        throw new InputError('OPTIONS_INVALID', `most: expected a whole number from 1 to 20, received ${JSON.stringify(most)}`)
      const report = await servefit.plan(question)
      return shortened(explain)({...report, plans: report.plans.slice(0, most as number)})
    },
  },
  {
    name: 'compare',
    title: 'Checkpoints side by side',
    description: `One row for each published checkpoint and cache format of a model: memory, context, speed, and what is known of its quality. Several models or machines may be compared. ${LONG}`,
    input: compareInput,
    document: 'compare',
    answer: async (servefit, {explain, ...question}) => {
      const report = await servefit.compare(question)
      return shortened(explain)(explain === true ? report : {...report, measured: []})
    },
  },
  {
    name: 'config',
    title: 'What to start',
    description: `The start command or file for vLLM, SGLang or TensorRT-LLM: artifact.files with their texts, artifact.options with the reason for each option. Without artifact where the verdict is no. ${LONG}`,
    input: configInput,
    document: 'result',
    answer: (servefit, {explain, format, set, public: isPublic, replicas, ...question}) =>
      servefit.config(question, withoutAbsent({format, set, public: isPublic, replicas})).then(shortened(explain)),
  },
  {
    name: 'capacity',
    title: 'How many machines',
    description: `How many machines of each kind carry a load (users, requestRate or trace) within latency limits, with growth over months, power and price. Without machines the catalogue is searched, which takes several seconds. ${LONG}`,
    input: capacityInput,
    document: 'capacity',
    answer: (servefit, {explain, ...question}) => servefit.capacity(question).then(shortened(explain)),
  },
  {
    name: 'verify',
    title: 'Was the prediction right?',
    description:
      "Compares an engine's start-up log, or the result of a benchmark, with what was predicted, and says what to change. Give paths (files, benchFile) rather than long texts. What a log prints wins over what is given beside it.",
    input: verifyInput,
    document: 'verify',
    answer: verified,
  },
  {
    name: 'upgrade',
    title: 'What an upgrade changes',
    description: `What a change from one release of an engine to another brings for a model on a machine: cache, context, speed, the engine's defaults, options that are gone or new, formats. worse counts the figures that get worse. ${LONG}`,
    input: upgradeInput,
    document: 'upgrade',
    answer: (servefit, {explain, from, to, tolerance, ...question}) =>
      servefit.upgrade(question, withoutAbsent({from, to, tolerance}) as unknown as UpgradeOptions).then(shortened(explain)),
  },
  {
    name: 'models',
    title: 'The models that are known',
    description: 'Models by words and figures, or those that fit a machine (fits), best first.',
    input: modelsInput,
    document: 'models',
    answer: async (servefit, {limit = MODELS, ...question}) => {
      const report = await servefit.models({...question, limit: limit as number})
      return {...report, models: report.models.slice(0, (limit as number) || undefined)}
    },
  },
  {
    name: 'model',
    title: 'One model',
    description:
      'A model by its name, repository or path: layers, cache, context, every published checkpoint with its format and what is known of its quality.',
    input: modelInput,
    document: 'model',
    answer: (servefit, {name}) => servefit.model(name as string),
  },
  {
    name: 'gpus',
    title: 'The cards that are known',
    description: 'Cards with memory, bandwidth and rates: one by its name, or those that a word is found in (blackwell, amd, 24gb).',
    input: () => nameInput('a card'),
    document: 'gpus',
    answer: async (servefit, {name}) => servefit.gpus(name as string | undefined),
  },
  {
    name: 'machines',
    title: 'The machines that are known',
    description: 'Servers, workstations, desktops and cloud instances that machine takes by name.',
    input: () => nameInput('a machine'),
    document: 'machines',
    answer: async (servefit, {name}) => servefit.machines(name as string | undefined),
  },
  {
    name: 'detect',
    title: 'This machine',
    description: 'What is in the machine that this runs on: GPUs, free memory, links, disk, and what is wrong with it.',
    input: noInput,
    document: 'machine',
    answer: (servefit) => servefit.detect(),
  },
]

/** Logs and results by their paths or as texts. */
async function verified(servefit: LocalServefit, {files, logs, benchFile, bench, ...question}: Given): Promise<object> {
  const {logTexts, resultTexts} = await import('../cli/texts.ts')
  const paths = listOf(files)
  // Standard input is the protocol's own.
  if ([...paths, benchFile].includes('-'))
    throw new InputError('INPUT_MISSING', '- stands for standard input, which carries the protocol here: expected a path')
  const texts = [...(await logTexts(paths)), ...listOf(logs)]
  const result = typeof benchFile === 'string' ? (await resultTexts([benchFile]))[0] : bench
  return servefit.verify({...question, ...(texts.length > 0 && {logs: texts}), ...(typeof result === 'string' && {bench: result})})
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)])

const withoutAbsent = (given: Given): Given => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
