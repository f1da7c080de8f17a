import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../../cli/base.ts'
import {machineFlags, scenarioFrom, workloadFlags} from '../../cli/flags.ts'
import {lookFlags} from '../../cli/look-flags.ts'
import {catalogueFlag} from '../../cli/source-flags.ts'
import {parseCount, parseParameters} from '../../cli/quantities.ts'
import {realContext} from '../../cli/world.ts'
import {nearest} from '../../core/nearest.ts'
import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import {chosenModels, fittingReport, type ModelsQuestion, type ModelsReport, modelsReport, modelsThatFit} from '../../library/models.ts'
import {summaryOf} from '../../planner/models/index.ts'
import {LIMITS} from '../../planner/scenario/index.ts'
import {fittingModelsTable} from '../../render/fitting-models.ts'
import {machineTitle} from '../../render/hardware.ts'
import {quoteWord} from '../../render/launch/shell-quote.ts'
import {modelsTable} from '../../render/tables.ts'

const FILTER = 'FILTER'

/** More rows than a person compares. */
const SHOWN = 30

const parameterCount = (name: string, description: string) =>
  Flags.custom<number>({description, helpValue: 'SIZE', helpGroup: FILTER, parse: async (text) => parseParameters(text, name)})()

/** Flags that only mean something with --fits. */
const {concurrency, 'input-tokens': inputTokens, 'output-tokens': outputTokens} = workloadFlags

export default class Models extends ServefitCommand {
  static override summary = 'The known models, by name, task, size or licence, and which of them fit'
  static override description =
    'With --fits: those that fit this machine, or the one of --gpu or --machine, each with the longest context and the speed for one user that check would give. The best come first, by a rule of thumb: size (the geometric mean of total and active parameters), counted threefold for each year of release; less for quality lost to quantisation, a context below 32,768 tokens, fewer than 40 tokens a second, and tight memory. Models that decode fewer than 8 tokens a second come last.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> coding small apache',
    '<%= config.bin %> <%= command.id %> --max-params 40b --licence apache --modality vision',
    '<%= config.bin %> <%= command.id %> --fits --gpu 1xrtx-4090 --min-context 64k',
    '<%= config.bin %> <%= command.id %> --fits --json',
  ]
  static override strict = false
  static override args = {
    words: Args.string({
      description:
        'words that must all match: part of a name, family or publisher, a licence (apache), a task (coding, vision, reasoning), a size (7b, 30b-a3b, small) or a weight format',
    }),
  }
  static override flags = {
    'min-params': parameterCount('min-params', 'at least this many parameters in total, such as 7b'),
    'max-params': parameterCount('max-params', 'at most this many parameters in total'),
    'max-active': parameterCount('max-active', 'at most this many active parameters for each token'),
    licence: Flags.string({description: 'part of the licence: apache, mit, llama', aliases: ['license'], helpGroup: FILTER}),
    modality: Flags.string({description: 'what it reads besides text', options: ['text', 'vision', 'audio', 'video'], helpGroup: FILTER}),
    'min-context': Flags.custom<number>({
      description: 'the context that it must reach; with --fits, on that machine',
      helpValue: 'TOKENS',
      helpGroup: FILTER,
      parse: async (text) => parseCount(text, 'min-context', LIMITS.tokens),
    })(),
    family: Flags.string({description: 'family, or the beginning of its name: qwen3, deepseek', helpGroup: FILTER}),
    weights: Flags.string({description: 'a format in which it is published: fp8, awq-int4, nvfp4', helpGroup: FILTER}),
    fits: Flags.boolean({description: 'only models that fit the machine', helpGroup: 'FITTING'}),
    limit: Flags.custom<number>({
      description: `how many of the fitting models to show, 0 for all (default: ${SHOWN} as text, all with --json)`,
      helpValue: 'N',
      helpGroup: 'FITTING',
      parse: async (text) => parseCount(text, 'limit', {min: 0, max: 1_000_000}),
    })(),
    ...machineFlags,
    ...catalogueFlag,
    ...lookFlags,
    engine: Flags.string({description: 'vllm, sglang or trtllm (default: vllm)', helpGroup: 'FITTING'}),
    concurrency,
    'input-tokens': inputTokens,
    'output-tokens': outputTokens,
  }

  async run(): Promise<ModelsReport> {
    const {argv, flags} = await this.parse(Models)
    const asked: ModelsQuestion = {
      words: argv as string[],
      minParams: flags['min-params'],
      maxParams: flags['max-params'],
      maxActive: flags['max-active'],
      licence: flags.licence,
      modality: flags.modality,
      minContextTokens: flags['min-context'],
      family: flags.family,
      weights: flags.weights,
    }
    const models = this.chosen(asked)
    // A machine or a load is named for what fits it.
    if (flags.fits || flags.gpu !== undefined || flags.machine !== undefined) return this.fitting(models, flags)
    if (!this.jsonEnabled())
      process.stdout.write(models.length === 0 ? nothingMatches(flags.family) : modelsTable(models.map(summaryOf), this.look.tableColumns))
    return modelsReport(this.catalogue, models)
  }

  /** The models of the words; a first word that is none may be a misspelt command below this one. */
  private chosen(asked: ModelsQuestion): Model[] {
    const {words = []} = asked
    try {
      return chosenModels(this.catalogue, asked)
    } catch (error) {
      const near = words.length > 1 && error instanceof InputError ? nearest(words[0]!, ['show', 'import']).map((name) => `models ${name}`) : []
      if (near.length > 0 && error instanceof InputError) throw new InputError(error.code, error.message, {suggestions: [...near, ...error.suggestions]})
      throw error
    }
  }

  private async fitting(models: readonly Model[], flags: Record<string, unknown>): Promise<ModelsReport> {
    const context = realContext(this.catalogue)
    const {model: _model, gpu, machine: named, nodes, link, workload, ...rest} = scenarioFrom('', flags)
    const minContext = flags['min-context'] as number | undefined
    const weights = flags.weights as string | undefined
    const request = {...rest, ...(minContext !== undefined && {maxModelLen: minContext}), ...(weights !== undefined && {weights: weights.toLowerCase()})}
    const limit = (flags.limit as number | undefined) ?? (this.jsonEnabled() ? 0 : SHOWN)
    const found = await modelsThatFit(context, models, {gpu, machine: named, nodes, link, request, workload: workload!, ...(limit > 0 && {limit})})
    const {machine, best, complete, unbuilt} = found
    if (!this.jsonEnabled()) {
      const title = machineTitle(machine)
      process.stdout.write(
        unbuilt
          ? `${title}: ${unbuilt.message}${unbuilt.remedy ? `; ${unbuilt.remedy}` : ''}.\n`
          : best.length === 0
            ? `No catalogued model that matches these filters fits ${title}.\n`
            : `${title}: ${fittingTitle(best.length, complete)}\n\n${fittingModelsTable(best, this.look)}`,
      )
    }
    if (best.length === 0) this.answerNo()
    return fittingReport(context.catalogue, found)
  }
}

/** A family is the beginning of a name: what somebody means may stand elsewhere in it. */
const nothingMatches = (family: string | undefined): string =>
  `No catalogued model matches all of that.${family === undefined || family.length > 80 ? '' : ` servefit models ${quoteWord(family)} searches whole names and tasks.`}\n`

function fittingTitle(count: number, complete: boolean): string {
  if (!complete) return `the best ${count} of the models that fit (--limit 0: all)`
  return count === 1 ? '1 model fits' : `${count} models fit`
}
