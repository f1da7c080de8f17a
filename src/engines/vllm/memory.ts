/**
 * What vLLM's start-up log will say. Order of the engine: requested = total x utilisation; less weights, the profile run's peak,
 * context and collectives, and (from 0.20) CUDA graphs; the rest is cache (vllm/v1/worker/gpu_worker.py determine_available_memory).
 */
import type {Architecture} from '../../core/architecture.ts'
import {PairMemo} from '../../core/bounded-map.ts'
import {type Deployment, type LoadedDeployment, STATE_FORMATS} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import {type CacheLayout, cacheTotals, layerCache} from '../../core/kv-cache.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {ObjectNumbers} from '../../core/object-numbers.ts'
import {type Reason, sumBytes} from '../../core/terms.ts'
import {bytesInWords, countInWords} from '../../core/words.ts'
import type {Stage} from '../../core/weights.ts'
import {contextLimit} from '../context.ts'
import type {EngineData, Subject} from '../engine.ts'
import {bytesOf, cutTo, tight} from '../beside-cache.ts'
import {draftLayerCount, knownDraft, ownDraftLayers, shapeLayer, usesDraftLayers} from '../drafts.ts'
import {vllmExpertTile} from '../expert-padding.ts'
import {longestStart} from '../longest.ts'
import {encoderEstimate, isEncoder} from '../pooling.ts'
import {vllmLoraTerms} from '../lora.ts'
import {
  activationPeak,
  availableBytes,
  freeBeforeBytes,
  graphBytes,
  logitBytes,
  type OverheadParameters,
  runtimeBytes,
  runtimeWords,
  visibleBytes,
} from '../overheads.ts'
import {platformOverheads} from '../platforms.ts'
import {workingRemedy, withRemedy} from '../remedies.ts'
import {stagesOf} from '../stages.ts'
import {isAtLeast} from '../versions.ts'
import {type PartTerm, weightTerms} from '../weight-terms.ts'
import {allReduceBytes} from './all-reduce.ts'
import {attentionWorkspaceBytes, capturesWholeSteps} from './attention-workspace.ts'
import {type CachePool, cachePool, capacity, longestRequest, usableBlocks} from './cache-groups.ts'
import {attentionPeak, compressedGraphBytes, compressedRow, hostTableTerms, isV41, loadedBufferTerms, pairBlockTokens} from './deepseek-v4.ts'
import {blockTables} from './block-tables.ts'
import {blockSizeTokens, cudaGraphSizes, decodeGraphSizes, LOOKS_AT_FREE_SINCE} from './defaults.ts'
import {vllmLayout} from './layout.ts'
import {offloadAsked} from '../offload.ts'
import {vllmOffload} from './offload.ts'
import {rotaryBytes} from './rotary.ts'
import {graphsInsideBudget, hasExperts, secondRunnerLogitBytes, sequenceTableBytes, triesImages, usesSecondRunner} from './runner.ts'
import {hasCompressedAttention, hasSparseLatent, sparseRowBytes, sparseWorkspace} from './sparse.ts'
import {stateAlignmentTokens, stateBlocks} from './states.ts'
import {withFedTowers, withLoadedTowers} from './towers.ts'
import {trialRules, trialTower} from './trial.ts'

export function vllmCacheLayout(subject: Subject, deployment: LoadedDeployment): CacheLayout {
  const format = cacheFormat(deployment.kvCache)
  const packed = format.elementBytes === 1
  return {
    attentionTp: deployment.tp,
    format,
    latentRowBytes: hasSparseLatent(subject) ? sparseRowBytes(subject, deployment) : undefined,
    compressedRowBytes: packed ? compressedRow(subject) : undefined,
    // `auto` keeps recurrent states at the model's 16 bits unless the configuration says otherwise (mamba_utils.py).
    stateElementBytes: 2,
    ...(deployment.stateFormat !== undefined && {askedStateElementBytes: STATE_FORMATS[deployment.stateFormat]}),
    convolutionElementBytes: 2,
    keysForSharedIndexers: !isAtLeast(deployment.engineVersion, '0.24.0'),
    speculativeTokens: deployment.speculative?.tokens ?? 0,
  }
}

function blockTokens(subject: Subject, version: string, quantisedCache: boolean): number {
  const kinds = subject.model.architecture.layerKinds.flatMap((kind) => kind.mixers)
  if (isV41(subject.model.architecture)) return pairBlockTokens(subject.gpu)
  if (kinds.some((mixer) => mixer.kind === 'compressed')) return blockSizeTokens(version, subject.gpu, 'compressed')
  if (hasSparseLatent(subject)) return blockSizeTokens(version, subject.gpu, 'sparse-mla')
  return blockSizeTokens(version, subject.gpu, kinds.some((mixer) => mixer.kind === 'mla') ? 'mla' : 'attention', quantisedCache)
}

/** Heads that drafts have: 128 wide. Layers of a draft share the model's table of blocks only where its own are so too. */
const USUAL_HEAD_DIM = 128
const hasUsualHeads = (architecture: Architecture): boolean =>
  architecture.layerKinds.some(({mixers}) => mixers.some((mixer) => mixer.kind === 'full' && !mixer.window && mixer.headDim === USUAL_HEAD_DIM))

function stagePool(subject: Subject, deployment: LoadedDeployment, layout: CacheLayout, stage: Stage): CachePool {
  const {architecture} = subject.model
  const parts = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  const layers = architecture.layerSequence.slice(stage.first, stage.last).map((index) => parts[index]!)
  // Each draft layer is built, whichever of them a step runs (models/deepseek_mtp.py, step3p5_mtp.py, deepseek_v4/nvidia/dspark.py, 0.33.0).
  if (stage.head && architecture.draft && usesDraftLayers(architecture, deployment.speculative))
    for (let layer = 0; layer < draftLayerCount(architecture, deployment.speculative); layer++) layers.push(layerCache(architecture.draft.kind, layout))
  // A draft of its own keeps whole layers: of its own shape where that is known, else like the model's.
  const draft = knownDraft(subject.model, deployment.speculative)
  const whole = draft?.shape ? layerCache(shapeLayer(draft.shape), layout) : parts.find((kindParts) => kindParts.some((part) => part.growth === 'growing'))
  const drafted = stage.head && whole ? Array.from({length: ownDraftLayers(architecture, deployment.speculative, draft)}, () => whole) : []
  const separate = drafted.length > 0 && !hasUsualHeads(architecture)
  if (!separate) layers.push(...drafted)
  const tokens = deployment.blockTokens ?? blockTokens(subject, deployment.engineVersion, layout.format.elementBytes < 2)
  return cachePool({
    version: deployment.engineVersion,
    layers,
    ...(separate && {draftLayers: drafted}),
    blockTokens: tokens,
    contextParallel: deployment.decodeContextParallel ?? 1,
    maxNumBatchedTokens: deployment.maxNumBatchedTokens,
    speculativeTokens: deployment.speculative?.tokens,
    pipelineStages: deployment.pp,
    states: stateBlocks(subject, deployment),
    stateAlignmentTokens: stateAlignmentTokens(subject, deployment, tokens),
  })
}

/** Rows of the workspace for earlier context of chunked prefills (MLACommonMetadataBuilder.determine_chunked_prefill_workspace_size). */
const latentContextTokens = ({maxModelLen, maxNumSeqs}: Deployment): number => Math.min(Math.max(8 * maxModelLen, 4 * maxNumSeqs * 16), 65536)

/**
 * A copy of the embedding that a compiled text model's trial holds: Inductor tries the fused kernel of embedding and first norm on arguments of its own
 * (config/compilation.py benchmark_combo_kernel, 0.11.1 to 0.33.0). Models with towers look their words up outside of what is compiled. Seen in start-up
 * logs of 0.26.0, 0.27.0 and 0.28.0: peaks of 0.59 and 1.04 GiB beside embeddings of 0.58 and 1.02, and 0.16 with the compiler off.
 */
const compiledTableBytes = ({vocabularySize, hiddenSize, encoders = []}: Architecture, {enforceEager, tp}: Deployment): number =>
  enforceEager || encoders.length > 0 ? 0 : (2 * vocabularySize * hiddenSize) / tp

/** A release that sorts logits, as a CPU does in every one (v1/sample/ops/topk_topp_sampler.py: Triton samples there in none; 0.22.1). */
const SORTED = '0.8.0'

/** First release that a log of the first runner shows it in: 1.1 GiB beside an embedding of 1.02 (Qwen2.5-7B, 0.22.0); gpt-oss-120b's shows none (0.26). */
const COPIED_SINCE = '0.22.0'

const copiesTable = (subject: Subject, deployment: Deployment): boolean =>
  (subject.gpu.accelerator.vendor === 'nvidia' || subject.gpu.accelerator.vendor === 'amd') &&
  (usesSecondRunner(subject, deployment) || (isAtLeast(deployment.engineVersion, COPIED_SINCE) && !hasExperts(subject.model.architecture)))

/** VLLM_FUSED_MOE_CHUNK_SIZE: experts work through longer batches in parts, up to 0.17.1 (vllm/envs.py); from 0.18.0 at once. */
const EXPERT_CHUNK_TOKENS = 32768
const WHOLE_BATCHES_SINCE = '0.18.0'

/**
 * A graph of a whole step takes about half of what its parts take: eight cards that captured 35 and 11 said 4.8 GiB, 35 and 34 said 6.0 (0.20.2, logs), which
 * is 0.115 for each of the former and 0.055 for each of the latter.
 */
const WHOLE_STEP_SHARE = 0.5

function overheadTerms(subject: Subject, deployment: Deployment, stage: Stage, parameters: OverheadParameters): PartTerm[] {
  const architecture = withFedTowers(subject.model.architecture, deployment)
  const version = deployment.engineVersion
  const second = usesSecondRunner(subject, deployment)
  // Vectors are taken from the last layer: there are no logits.
  const samples = stage.head && !subject.model.pooling && deployment.runner !== 'pooling'
  const layout = vllmLayout(deployment)
  const sparse = sparseWorkspace(subject, deployment)
  const peak = activationPeak({
    architecture,
    layout,
    ...trialRules(subject, deployment),
    tokens: deployment.maxNumBatchedTokens,
    gatheredTokens: deployment.maxNumBatchedTokens * deployment.dp,
    ...(!isAtLeast(version, WHOLE_BATCHES_SINCE) && {expertChunkTokens: EXPERT_CHUNK_TOKENS}),
    sequences: samples ? deployment.maxNumSeqs : 0,
    logitBytes: sampledBytes(subject, deployment, parameters),
    latentContextTokens: latentContextTokens(deployment),
    attentionWorkspaceBytes: sparse.gatheredBytes + sparse.scoreBytes,
    attention: attentionPeak(subject, deployment, sparse),
    tower: stage.embedding && triesImages(subject, deployment) ? trialTower(subject, deployment, architecture, layout.encoderTp) : undefined,
    compiledTableBytes: stage.embedding && copiesTable(subject, deployment) ? compiledTableBytes(architecture, deployment) : 0,
    parameters,
  })
  const sizes = cudaGraphSizes({
    version,
    gpu: subject.gpu,
    maxNumSeqs: deployment.maxNumSeqs,
    maxNumBatchedTokens: deployment.maxNumBatchedTokens,
    speculativeTokens: deployment.speculative?.tokens,
    enforceEager: deployment.enforceEager,
    graphs: deployment.graphs,
  })
  const whole = capturesWholeSteps(subject, deployment)
    ? decodeGraphSizes(sizes, {maxNumSeqs: deployment.maxNumSeqs, speculativeTokens: deployment.speculative?.tokens}).length
    : 0
  const parts = ['full', 'full-decode-only'].includes(deployment.graphs?.mode ?? '') ? 0 : sizes.length
  const world = deployment.tp * deployment.pp * deployment.dp
  const layers = stage.last - stage.first
  const graphs = compressedGraphBytes(architecture, sizes.length, layers) ?? graphBytes(parts + WHOLE_STEP_SHARE * whole, layers, deployment.tp, parameters)
  const terms: PartTerm[] = [
    {name: 'activations', bytes: peak.bytes, kind: 'measured', part: 'activation', because: `peak of the profile run: ${peak.because}`},
    {
      name: 'runtime',
      bytes: Math.round(runtimeBytes(subject.gpu, subject.machine, world, parameters)),
      kind: 'measured',
      part: 'runtime',
      because: runtimeWords(world),
    },
  ]
  const allReduce = allReduceBytes(subject, deployment)
  if (allReduce > 0)
    terms.push({
      name: 'all-reduce workspace',
      bytes: allReduce,
      kind: 'exact',
      part: 'runtime',
      because: `FlashInfer's all-reduce over ${deployment.tp} GPUs: three buffers of two stages for the largest message that it takes`,
    })
  const workspace = attentionWorkspaceBytes(subject, deployment, sizes.length)
  if (workspace > 0)
    terms.push({
      name: 'attention workspace',
      bytes: workspace,
      kind: 'exact',
      part: 'runtime',
      because: "FlashInfer's buffer, taken when graphs are tried",
    })
  if (second && samples) {
    const {vocabularySize} = architecture
    terms.push({
      name: 'sequence tables',
      bytes: sequenceTableBytes(vocabularySize, deployment.maxNumSeqs),
      kind: 'exact',
      part: 'runtime',
      because: `${deployment.maxNumSeqs} sequences x ${vocabularySize} words of the vocabulary x 4.125 bytes: how often each was written, kept for penalties`,
    })
  }
  if (graphs > 0)
    terms.push({
      name: 'CUDA graphs',
      bytes: graphs,
      kind: 'measured',
      part: 'cuda-graph',
      because: `${[parts > 0 ? `${parts} batch sizes up to ${sizes.at(-1)}` : '', whole > 0 ? `${whole} of whole decode steps` : ''].filter(Boolean).join(', ')}${graphsInsideBudget(subject, deployment) ? '' : '; this version captures them beyond its budget'}`,
    })
  return terms
}

/**
 * On AMD, up to 0.20.2, what the allocator still caches after loading counts as weights (vllm/platforms/rocm.py get_current_memory_usage: what is not free
 * of the card; what is allocated from 0.21.0).
 */
function loaderTerms(subject: Subject, version: string, {loaderBytes}: OverheadParameters): PartTerm[] {
  if (subject.gpu.accelerator.vendor !== 'amd' || isAtLeast(version, '0.21.0') || ['bf16', 'fp16', 'fp32'].includes(subject.checkpoint.formats.default))
    return []
  return [
    {
      name: 'weights: buffers left by the loader',
      bytes: loaderBytes,
      kind: 'measured',
      part: 'weights',
      because: 'on AMD this version counts what the allocator still holds after converting the weights',
    },
  ]
}

function rotaryTerms(architecture: Architecture): PartTerm[] {
  const bytes = rotaryBytes(architecture)
  if (bytes === 0) return []
  return [
    {
      name: 'weights: tables of positions',
      bytes,
      kind: 'derived',
      part: 'weights',
      because: `sines and cosines for the ${architecture.contextTokens} positions of the configuration, on each GPU`,
    },
  ]
}

/** Share of the estimate of graphs that may be short before a start is refused: it errs by as much at least (eight cards that differ in nothing said 4.8 to 6.8 GiB). */
const GRAPH_ERROR = 0.1

interface GraphRoom {
  graphBytes: number
  /** Tables of blocks that are made when the cache has its share. */
  tableBytes: number
  /** The sampler's warm-up over all sequences, behind the capture. */
  samplerBytes: number
  /** What the budget leaves out, of what is there for this process. */
  beyondBytes: number
  /** What the profile run's peak gave back before graphs are captured. */
  givenBackBytes: number
}

/** Room for graphs of a release that captures them beyond its budget, and for what follows them; undefined where all of it was counted before. */
function graphRoom(
  terms: readonly PartTerm[],
  areInside: boolean,
  beyondBytes: number,
  {tableBytes, samplerBytes}: Pick<GraphRoom, 'tableBytes' | 'samplerBytes'>,
): GraphRoom | undefined {
  const graphs = areInside ? 0 : bytesOf(terms, 'cuda-graph')
  if (graphs === 0 && tableBytes === 0) return undefined
  return {graphBytes: graphs, tableBytes, samplerBytes, beyondBytes, givenBackBytes: bytesOf(terms, 'activation')}
}

/** Tables and graphs find no room by more than the error of their estimate, or leave none for the warm-up. */
function graphShortage(at: GraphRoom, deployment: Deployment, {spreadBytes}: OverheadParameters): Omit<Reason, 'remedy'> | undefined {
  const {graphBytes: graphs, tableBytes, samplerBytes, beyondBytes, givenBackBytes} = at
  const room = beyondBytes + givenBackBytes
  const error = Math.max(spreadBytes, GRAPH_ERROR * graphs)
  const {maxNumSeqs, maxModelLen} = deployment
  if (tableBytes - room > error)
    return {
      code: 'request-table-exceeds-memory',
      message: `tables of ${countInWords(maxNumSeqs)} sequences of ${countInWords(maxModelLen)} tokens need ${bytesInWords(tableBytes)} after the cache has taken its share, but only ${bytesInWords(room)} is left for them`,
    }
  if (graphs + tableBytes - room <= error) {
    if (graphs + tableBytes + samplerBytes - room <= error) return undefined
    return {
      code: 'activations-exceed-memory',
      message: `warming up the sampler with ${countInWords(maxNumSeqs)} sequences needs ${bytesInWords(samplerBytes)} after the CUDA graphs, but only ${bytesInWords(Math.max(0, room - graphs - tableBytes))} is left for it`,
    }
  }
  return {
    code: 'cuda-graphs-exceed-memory',
    message: `CUDA graphs need ${bytesInWords(graphs)} after the cache has taken its share, but only ${bytesInWords(room)} is left for them`,
  }
}

/** Graphs stand in the place of the profile run's peak, or a little beyond all that there is. */
function graphTightness({graphBytes: graphs, beyondBytes, givenBackBytes}: GraphRoom): Reason | undefined {
  if (graphs === 0 || graphs <= beyondBytes) return undefined
  return tight(
    graphs <= beyondBytes + givenBackBytes
      ? `CUDA graphs of ${bytesInWords(graphs)} find ${bytesInWords(beyondBytes)} beside the budget and take the rest of what the profile run's peak gave back: a full batch may run out of memory`
      : `CUDA graphs of ${bytesInWords(graphs)} find ${bytesInWords(beyondBytes + givenBackBytes)}: the shortage is within the margin of error`,
  )
}

/** Bytes for each logit of the trial and the warm-up of the sampler. */
const sampledBytes = (subject: Subject, deployment: Deployment, parameters: OverheadParameters): number =>
  usesSecondRunner(subject, deployment)
    ? secondRunnerLogitBytes(subject, deployment)
    : logitBytes(parameters, subject.gpu.accelerator.vendor === 'cpu' ? SORTED : deployment.engineVersion)

/**
 * What is made when the cache has its share: tables of blocks, and after the capture of graphs a pass of the sampler over all sequences (v1/worker/gpu_worker.py
 * compile_or_warm_up_model, 0.10.2 to 0.33.0: "CUDA out of memory occurred when warming up sampler"), which had its room in the trial run's peak.
 */
function behindBytes(
  subject: Subject,
  deployment: Deployment,
  stage: Stage,
  pool: CachePool,
  parameters: OverheadParameters,
): Pick<GraphRoom, 'tableBytes' | 'samplerBytes'> {
  const {maxNumSeqs, maxNumBatchedTokens} = deployment
  const samples = stage.head && !subject.model.pooling && deployment.runner !== 'pooling'
  const {vocabularySize} = subject.model.architecture
  return {
    tableBytes: tablesOf(subject, deployment, pool).behindBytes,
    samplerBytes: samples ? Math.min(maxNumSeqs, maxNumBatchedTokens) * vocabularySize * sampledBytes(subject, deployment, parameters) : 0,
  }
}

const tablesOf = (subject: Subject, deployment: Deployment, pool: CachePool) =>
  blockTables(deployment, {blockTokens: pool.blockTokens, second: usesSecondRunner(subject, deployment), mixed: pool.groupCount > 1 || pool.hasStates})

function tableTerms(subject: Subject, deployment: Deployment, pool: CachePool): PartTerm[] {
  const bytes = tablesOf(subject, deployment, pool).withinBytes
  if (bytes === 0) return []
  const because = `${countInWords(deployment.maxNumSeqs)} sequences x the blocks of ${countInWords(deployment.maxModelLen)} tokens x 4 bytes`
  return [{name: 'block tables', bytes, kind: 'exact', part: 'runtime', because}]
}

/** First release seen that refuses to start (0.19 still captured fewer graphs instead). */
const STATE_LIMIT_SINCE = '0.20.0'

/** Modes of graphs that capture no whole step: the check is for those that do (has_full_cudagraphs). */
const WITHOUT_WHOLE_GRAPHS: ReadonlySet<string> = new Set(['none', 'piecewise'])

/** Most sequences that CUDA graphs of a model with states allow: a block of state for each (vllm/config/compilation.py resolve_cudagraph_mode_and_sizes, 0.20.0 to 0.28.0). */
const stateLimit = ({engineVersion, enforceEager, graphs}: Deployment, pool: CachePool, blocks: number): number | undefined =>
  pool.hasStates && !enforceEager && !WITHOUT_WHOLE_GRAPHS.has(graphs?.mode ?? '') && isAtLeast(engineVersion, STATE_LIMIT_SINCE) ? blocks : undefined

function stateShortage({maxNumSeqs}: Deployment, limit: number | undefined): Reason | undefined {
  if (limit === undefined || maxNumSeqs <= limit || limit < 1) return undefined
  return {
    code: 'max-num-seqs-too-large',
    message: `${maxNumSeqs} sequences may run at once, and each needs a block of state: the cache has ${limit} blocks, and this version does not start with more sequences than blocks`,
    remedy: `use --max-num-seqs ${limit}, or --enforce-eager`,
  }
}

/** Share that is proposed where the whole is asked for. */
const MOST_SHARE = 0.95

/** The engine does not start on a share of which a part is taken ("Free memory on device ... is less than desired", as vLLM says it). */
function takenShortage({gpu}: Subject, {engineVersion, reservedBytesPerGpu}: Deployment, budgetBytes: number): Reason | undefined {
  if (!isAtLeast(engineVersion, LOOKS_AT_FREE_SINCE)) return undefined
  const available = availableBytes(gpu, reservedBytesPerGpu)
  const totalBytes = visibleBytes(gpu)
  const share = Math.floor((100 * available) / totalBytes) / 100
  if (budgetBytes > available)
    return {
      code: 'memory-taken',
      message: `the engine asks for ${bytesInWords(budgetBytes)}, but only ${bytesInWords(available)} of the GPU is free, as other programs hold the rest: it does not start`,
      remedy: share > 0 ? `stop the programs that hold it, or use --gpu-memory-utilization ${Math.min(MOST_SHARE, share)}` : 'stop the programs that hold it',
    }
  if (budgetBytes < totalBytes || totalBytes === 0) return undefined
  return {
    code: 'memory-taken',
    message: `the engine asks for all of the ${bytesInWords(totalBytes)}, which is never all free: the context of its own process takes some before it looks`,
    remedy: `use --gpu-memory-utilization ${MOST_SHARE}`,
  }
}

/** Memory that is shared with the system is never all free: where nobody looked, a share that reaches into what an idle one keeps may be refused. */
function sharedTightness({gpu}: Subject, {engineVersion}: Deployment, requestedBytes: number, parameters: OverheadParameters): Reason | undefined {
  if (!gpu.accelerator.unifiedMemory || gpu.freeBytes !== undefined || !isAtLeast(engineVersion, LOOKS_AT_FREE_SINCE)) return undefined
  const free = freeBeforeBytes(gpu, parameters)
  if (requestedBytes <= free) return undefined
  return tight(
    `the engine asks for ${bytesInWords(requestedBytes)}, but the system that shares the memory keeps some ${bytesInWords(visibleBytes(gpu) - free)} even when idle: the engine does not start where less is free`,
  )
}

/** What others hold counts as the engine's own in releases that do not look at what is free first (gpu_worker.py determine_available_memory, 0.8.5 and 0.9.0). */
const othersBytes = ({gpu}: Subject, {engineVersion, reservedBytesPerGpu}: Deployment): number =>
  isAtLeast(engineVersion, LOOKS_AT_FREE_SINCE) ? 0 : visibleBytes(gpu) - availableBytes(gpu, reservedBytesPerGpu)

/**
 * A cache whose size is given: `--num-gpu-blocks-override` is the number of blocks whatever there is (v1/core/kv_cache_utils.py
 * may_override_num_blocks), and `--kv-cache-memory-bytes` stands in the place of what profiling leaves (v1/worker/gpu_worker.py
 * determine_available_memory), both 0.28.0.
 */
function givenCacheBytes({kvCacheBlocks, kvCacheBytes}: Deployment, pool: CachePool): number | undefined {
  return kvCacheBlocks === undefined ? kvCacheBytes : kvCacheBlocks * pool.blockBytes
}

/** A cache that is given is not held to the share of memory: it must find room in what is free. */
function givenShortage(
  {gpu}: Subject,
  {reservedBytesPerGpu}: Deployment,
  {terms, cacheBytes}: {terms: readonly PartTerm[]; cacheBytes: number},
): Reason | undefined {
  const others = sumBytes(terms)
  const available = availableBytes(gpu, reservedBytesPerGpu)
  if (others + cacheBytes <= available) return undefined
  const room = Math.max(0, available - others)
  return {
    code: 'kv-cache-exceeds-memory',
    message: `a cache of ${bytesInWords(cacheBytes)} was asked for, but weights and the engine itself take ${bytesInWords(others)} of ${bytesInWords(available)}: only ${bytesInWords(room)} is left for it`,
    remedy: `leave --kv-cache-bytes and --kv-cache-blocks out, or ask for at most ${bytesInWords(room)}`,
  }
}

/** Buffers that grow with the context: for earlier context of MLA, for sparse attention, for DeepSeek-V4. */
const lengthTakesRoom = (architecture: Architecture): boolean =>
  architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'mla' || kind === 'compressed'))

/** What a stage holds before it is tried out: its weights and what is loaded with them, and how its cache is cut. */
interface LoadedStage {
  stage: Stage
  pool: CachePool
  terms: readonly PartTerm[]
}

/** Stages that were reckoned already: a search for room changes nothing in them, and asks many times. */
const LOADED = new PairMemo<Model, Checkpoint, readonly LoadedStage[]>(1000)
const NUMBERS = new ObjectNumbers()

function loadedStages(
  subject: Subject,
  {maxModelLen: _context, maxNumSeqs: _sequences, gpuMemoryUtilization: _share, ...loaded}: Deployment,
  data: EngineData,
) {
  const {model, checkpoint, machine, gpu} = subject
  const key = `${NUMBERS.of(machine)} ${NUMBERS.of(gpu)} ${NUMBERS.of(data)} ${JSON.stringify(loaded)}`
  return LOADED.once(model, checkpoint, key, () =>
    stagesOf(model.architecture, loaded.pp, 'middle-stages-first').map((stage) => loadedStage(subject, loaded, stage, data)),
  )
}

function loadedStage(subject: Subject, deployment: LoadedDeployment, stage: Stage, data: EngineData): LoadedStage {
  const {architecture} = subject.model
  const {accelerator} = subject.gpu
  const version = deployment.engineVersion
  const layout = vllmLayout(deployment)
  return {
    stage,
    pool: stagePool(subject, deployment, vllmCacheLayout(subject, deployment), stage),
    terms: [
      ...weightTerms({
        architecture: withLoadedTowers(architecture, deployment),
        checkpoint: subject.checkpoint,
        layout,
        stage,
        stageCount: deployment.pp,
        speculative: deployment.speculative,
        draft: knownDraft(subject.model, deployment.speculative),
        ...offloadAsked(deployment, vllmOffload(subject, deployment)),
        expertTile: vllmExpertTile(accelerator, version, hasCompressedAttention(architecture)),
      }),
      ...vllmLoraTerms({architecture, deployment, layout, stage}, data.support.lora),
      ...rotaryTerms(architecture),
      ...loaderTerms(subject, version, platformOverheads(data, accelerator, version)),
      ...loadedBufferTerms(subject, deployment, stage),
      ...hostTableTerms(subject, deployment, stage),
    ],
  }
}

export function vllmMemory(subject: Subject, deployment: Deployment, data: EngineData): MemoryEstimate {
  const {architecture} = subject.model
  const version = deployment.engineVersion
  const totalBytes = visibleBytes(subject.gpu)
  const requestedBytes = Math.min(totalBytes, Math.ceil(totalBytes * deployment.gpuMemoryUtilization))
  const budgetBytes = Math.max(0, requestedBytes - othersBytes(subject, deployment))
  const beyondBytes = Math.max(0, availableBytes(subject.gpu, deployment.reservedBytesPerGpu) - budgetBytes)
  const layout = vllmCacheLayout(subject, deployment)
  const overheads = platformOverheads(data, subject.gpu.accelerator, version)
  const areInside = graphsInsideBudget(subject, deployment)
  const outside = areInside ? [] : ['cuda-graph']
  // The stage with the fewest blocks decides for all.
  const stages = loadedStages(subject, deployment, data).map(({stage, pool, terms: loaded}) => {
    const terms = [...loaded, ...overheadTerms(subject, deployment, stage, overheads), ...tableTerms(subject, deployment, pool)]
    const left = requestedBytes - othersBytes(subject, deployment) - sumBytes(terms.filter((term) => !outside.includes(term.part)))
    const cacheBytes = givenCacheBytes(deployment, pool) ?? left
    return {
      stage,
      terms,
      cacheBytes,
      pool,
      behind: behindBytes(subject, deployment, stage, pool, overheads),
      blocks: Math.max(0, Math.floor(cacheBytes / pool.blockBytes)),
    }
  })
  const worst = stages.reduce((a, b) => (b.blocks < a.blocks || (b.blocks === a.blocks && b.cacheBytes < a.cacheBytes) ? b : a))
  const {pool, cacheBytes, blocks} = worst
  // All stages have as many blocks as the one with the fewest; where their layers differ, so do the tokens that these hold.
  const reported = stages
    .map(({pool: own}) => capacity(version, own, blocks * own.blockBytes, deployment.maxModelLen, deployment.decodeContextParallel))
    .reduce((a, b) => (b.tokens < a.tokens ? b : a))
  const usable = usableBlocks(version, blocks)
  const isGiven = givenCacheBytes(deployment, pool) !== undefined
  const content = cacheTotals(architecture, layout, worst.stage.first, worst.stage.last)
  const kvBytes = Math.max(0, Math.floor(cacheBytes))
  const limit = stateLimit(deployment, pool, blocks)
  const again = (changed: Deployment) => vllmMemory(subject, changed, data)
  // Every stage captures its own graphs.
  const rooms = stages.flatMap(({terms, behind}) => graphRoom(terms, areInside, beyondBytes, behind) ?? [])
  const shortGraphs = rooms.flatMap((room) => graphShortage(room, deployment, overheads) ?? [])[0]
  const startProblem =
    takenShortage(subject, deployment, requestedBytes) ??
    (isGiven ? stages.flatMap((stage) => givenShortage(subject, deployment, stage) ?? [])[0] : undefined) ??
    stateShortage(deployment, limit) ??
    (shortGraphs && withRemedy(shortGraphs, () => workingRemedy(deployment, again)))
  const shortOfGraphs = startProblem ? undefined : rooms.flatMap((room) => graphTightness(room) ?? [])[0]
  const withinError = startProblem ? undefined : (shortOfGraphs ?? sharedTightness(subject, deployment, requestedBytes, overheads))
  const holds = usable > 0 && !startProblem
  let longest: number | undefined
  if (isEncoder(subject.model))
    return encoderEstimate({
      deployment,
      totalBytes,
      budgetBytes,
      terms: worst.terms,
      outside,
      limitTokens: contextLimit(subject, deployment),
      startsAt: (maxModelLen) => again({...deployment, maxModelLen}).starts,
      startProblem,
    })
  return {
    totalBytes,
    budgetBytes,
    terms: [
      ...(shortOfGraphs ? cutTo(worst.terms, ['cuda-graph'], beyondBytes, "the rest in what the profile run's peak gave back") : worst.terms),
      {
        name: 'KV cache',
        bytes: kvBytes,
        kind: 'derived',
        part: 'kv-cache',
        because: `${isGiven ? 'given outright, whatever the share of memory' : `what is left of ${deployment.gpuMemoryUtilization} of the total`}: ${blocks} blocks of ${pool.blockTokens} tokens in ${pool.groupCount} group${pool.groupCount === 1 ? '' : 's'}, ${deployment.kvCache}`,
      },
    ],
    kvCacheBytes: Math.floor(cacheBytes),
    kvBytesPerToken: content.growingBytesPerToken / (deployment.decodeContextParallel ?? 1),
    stateBytesPerSequence: content.stateBytesPerSequence,
    kvCacheTokens: reported.tokens,
    ...(overheads !== data.overheads && {spreadBytes: overheads.spreadBytes}),
    maxConcurrencyAtMaxModelLen: reported.maxConcurrency,
    get largestMaxModelLen() {
      longest ??= longestContext(subject, deployment, {pool, blocks: usable, holds, grows: tablesMatter(subject, deployment, pool, overheads)}, again)
      return longest
    },
    cacheBlocks: blocks,
    ...(limit !== undefined && {largestMaxNumSeqs: limit}),
    requestsOfTokens: (tokens) => blocks / pool.blocksPerRequest(Math.max(1, tokens)),
    starts: holds && pool.blocksPerRequest(deployment.maxModelLen) <= usable,
    ...(startProblem && {startProblem}),
    ...(withinError && {withinError}),
  }
}

/** A trial that is fed more where the context holds more: videos as long as it, or more items. */
function trialGrows(subject: Subject, deployment: Deployment): boolean {
  if (!triesImages(subject, deployment)) return false
  const fed = withFedTowers(subject.model.architecture, deployment)
  const at = (maxModelLen: number) => trialTower(subject, {...deployment, maxModelLen}, fed, 1)?.peakElements ?? 0
  return at(1) !== at(contextLimit(subject, deployment))
}

/** Whether tables of blocks take room from the cache, or can come to lack it, as the context grows. */
function tablesMatter(subject: Subject, deployment: Deployment, pool: CachePool, {spreadBytes}: OverheadParameters): boolean {
  const longest = tablesOf(subject, {...deployment, maxModelLen: contextLimit(subject, deployment)}, pool)
  if (longest.withinBytes > 0) return true
  // Counted graphs leave the tables all that the share leaves out: the few MiB of usual contexts are never short by more than the estimate errs.
  return longest.behindBytes > (graphsInsideBudget(subject, deployment) ? spreadBytes : 0)
}

/** The longest context that starts. Where buffers grow with it, a shorter one leaves more blocks: then it is looked for. */
function longestContext(
  subject: Subject,
  deployment: Deployment,
  {pool, blocks, holds, grows}: {pool: CachePool; blocks: number; holds: boolean; grows: boolean},
  again: (changed: Deployment) => MemoryEstimate,
): number {
  const limit = contextLimit(subject, deployment)
  const guess = longestRequest(pool, blocks, limit)
  if (!grows && !lengthTakesRoom(subject.model.architecture) && !trialGrows(subject, deployment)) return holds ? guess : 0
  if (holds && deployment.maxModelLen >= limit && pool.blocksPerRequest(deployment.maxModelLen) <= blocks) return limit
  return longestStart(guess, limit, (maxModelLen) => again({...deployment, maxModelLen}).starts)
}
