import type {Launch, LaunchFlag} from '../../engines/engine.ts'
import {setField} from '../../engines/launch/fields.ts'
import {FILE_IN_CONTAINER} from './docker.ts'
import {llmArgs} from './engine-file.ts'
import {cannot, type Format} from './format.ts'
import {podText, SECRET, sliceResource} from './pod.ts'
import {splitReplicas, splitWords} from './split.ts'
import {localPath, type Startable} from './startable.ts'
import {flagWords, plainWords} from './words.ts'
import {commentLines, remarked, yamlDocuments, yamlText} from './yaml.ts'
import {dictionary} from '../../core/dictionary.ts'

type Mapping = Record<string, unknown>
type Role = 'prefill' | 'decode'

/** Release whose manifests were read; its images bring an engine version of their own. */
const DYNAMO_VERSION = '1.3.1'

const RUNTIMES: Record<string, {image: string; module: string; modelFlag: string}> = dictionary({
  vllm: {image: 'vllm-runtime', module: 'dynamo.vllm', modelFlag: '--model'},
  sglang: {image: 'sglang-runtime', module: 'dynamo.sglang', modelFlag: '--model-path'},
  trtllm: {image: 'tensorrtllm-runtime', module: 'dynamo.trtllm', modelFlag: '--model-path'},
})

/**
 * A DynamoGraphDeployment with prefill and decode apart, one worker of this layout each. Fields and commands as in
 * ai-dynamo/dynamo examples/backends/{vllm,sglang,trtllm}/deploy/disagg.yaml at 04521f473b68375705a553f4082fac8254d71a2f;
 * several nodes as in vllm/deploy/disagg-multinode.yaml at d2143fc82c1307ca322c10c88db5977b966ff790 (the operator adds rank
 * and address); what dynamo.vllm demands of prefill: components/src/dynamo/vllm/args.py at
 * 000a36a7399ab3fa8e27d9537d8b1f5020e34db4.
 */
export const dynamo: Format = {
  id: 'dynamo',
  summary: 'a Dynamo graph with prefill and decode apart',
  write(startable) {
    const {launch, engine, vendor, name, model} = startable
    if (vendor !== 'nvidia') throw cannot(`Dynamo's images are for NVIDIA GPUs: use --format llm-d or kubernetes`)
    if (localPath(model) !== undefined) throw cannot(`Dynamo takes a repository here, and ${model} is a path: use --format kubernetes`)
    if (
      launch.nodes &&
      (engine.id === 'vllm'
        ? launch.nodes.problem !== undefined || launch.flags.some(({flag}) => flag === '--data-parallel-size')
        : launch.nodes.problem !== undefined)
    ) {
      throw cannot('how Dynamo spreads data-parallel ranks over nodes is not known for certain: use --format leaderworkerset')
    }
    const split = splitReplicas(startable)
    const {prefill, decode, because} = split
    const each = launch.nodes ? `${launch.nodes.count} nodes` : `${startable.gpusPerNode} GPUs`
    const note = `${splitWords(split, 'worker')}, each as planned: ${prefill + decode} x ${each} in total. ${because}
Images of Dynamo ${DYNAMO_VERSION} bring their own ${engine.title}; options were checked against ${engine.version}.
Parsers of tool calls and reasoning belong to Dynamo's frontend and are left out.
The Secret is needed: kubectl create secret generic ${SECRET_NAME} --from-literal=${SECRET.key}=...`
    const documents = [
      ...configMaps(startable),
      {
        apiVersion: 'nvidia.com/v1alpha1',
        kind: 'DynamoGraphDeployment',
        metadata: {name},
        spec: {
          services: {
            Frontend: {componentType: 'frontend', replicas: 1, extraPodSpec: {mainContainer: {image: imageOf(startable)}}},
            prefill: worker(startable, 'prefill'),
            decode: worker(startable, 'decode'),
          },
        },
      },
    ]
    return [{name: 'dynamo.yaml', text: `${commentLines(note)}${yamlDocuments(documents)}`}]
  },
}

/** As the examples name it. */
const SECRET_NAME = 'hf-token-secret'

const imageOf = ({engine}: Startable): string => `nvcr.io/nvidia/ai-dynamo/${RUNTIMES[engine.id]!.image}:${DYNAMO_VERSION}`

function worker(startable: Startable, role: Role): Mapping {
  const {launch, engine, gpusPerNode, name, slice} = startable
  const {module} = RUNTIMES[engine.id]!
  const hasFile = engine.id === 'trtllm'
  const args = [...engineFlags(startable), ...roleFlags(startable, role)]
  return {
    envFromSecret: SECRET_NAME,
    componentType: 'worker',
    subComponentType: role,
    replicas: splitReplicas(startable)[role],
    ...(launch.nodes && {multinode: {nodeCount: launch.nodes.count}}),
    // A slice is a resource of another name (deploy/operator api/v1alpha1 ResourceItem: gpuType; nvidia.com/gpu by default).
    resources: {limits: {gpu: String(launch.nodes?.gpusPerNode ?? gpusPerNode), ...(slice && {gpuType: sliceResource(slice.profile)})}},
    ...(launch.environment.length > 0 && {
      envs: launch.environment.map(({name: variable, value, because}) => ({name: variable, value: remarked(podText(value), because)})),
    }),
    extraPodSpec: {
      mainContainer: {
        image: imageOf(startable),
        command: ['python3', '-m', module],
        args: args.flatMap((flag) =>
          plainWords([{words: flagWords(flag)}], podText).map((word, index) => remarked(word, index === 0 ? flag.because : undefined)),
        ),
        ...(hasFile && {volumeMounts: [{name: 'engine', mountPath: FILE_IN_CONTAINER.slice(0, FILE_IN_CONTAINER.lastIndexOf('/'))}]}),
      },
      ...(hasFile && {volumes: [{name: 'engine', configMap: {name: `${name}-${role}`}}]}),
    },
  }
}

const PARSERS = /^--(?:reasoning-parser|tool-call-parser|enable-auto-tool-choice|enable-reasoning)$/

/** The model and the options of the engine itself: Dynamo brings its own web server. */
function engineFlags({launch, engine, model, isEngineFlag}: Startable): LaunchFlag[] {
  const {modelFlag} = RUNTIMES[engine.id]!
  const first: LaunchFlag = {flag: modelFlag, value: modelWord(launch, model), because: 'the checkpoint'}
  if (engine.id === 'trtllm') return [first, {flag: '--extra-engine-args', value: FILE_IN_CONTAINER, because: 'everything else is in the file'}]
  return [first, ...launch.flags.filter(({flag}) => flag !== modelFlag && !PARSERS.test(flag) && isEngineFlag(flag))]
}

/** As the program was given it: with the quantisation of a GGUF repository. */
const modelWord = ({program}: Launch, model: string): string =>
  program.length > 1 && program[0] !== 'sglang' && program[0] !== 'python3' ? (program.at(-1) ?? model) : model

function roleFlags({engine}: Startable, role: Role): LaunchFlag[] {
  const mode: LaunchFlag = {flag: '--disaggregation-mode', value: role, because: role === 'prefill' ? 'reads prompts' : 'writes answers'}
  if (engine.id === 'vllm')
    return [mode, {flag: '--kv-transfer-config', value: '{"kv_connector":"NixlConnector","kv_role":"kv_both"}', because: 'how the cache is handed over'}]
  if (engine.id === 'sglang') {
    return [
      mode,
      {flag: '--disaggregation-transfer-backend', value: 'nixl', because: 'how the cache is handed over'},
      {flag: '--disaggregation-bootstrap-port', value: 12345, because: 'where workers meet'},
      {flag: '--host', value: '0.0.0.0', because: 'reached by the other worker'},
    ]
  }
  return [mode]
}

/** TensorRT-LLM's options, one file for each role: each needs a transceiver for the cache. */
function configMaps({engine, launch, name}: Startable): Mapping[] {
  if (engine.id !== 'trtllm') return []
  return (['prefill', 'decode'] as const).map((role) => {
    const {content, because} = llmArgs(launch)
    delete content.reasoning_parser
    setField(content, 'cache_transceiver_config.backend', 'DEFAULT')
    // Prefill alone has nothing to overlap with.
    if (role === 'prefill') content.disable_overlap_scheduler = true
    return {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: `${name}-${role}`}, data: {'trtllm.yaml': yamlText(content, because)}}
  })
}
