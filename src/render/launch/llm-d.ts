import type {LaunchFlag} from '../../engines/engine.ts'
import {cannot, type Format} from './format.ts'
import {cacheClaim, engineContainer, podFrame, podLines, podWords, probes} from './pod.ts'
import {splitReplicas, splitWords} from './split.ts'
import type {Startable} from './startable.ts'
import {flagWords, type Line} from './words.ts'
import {commentLines, remarked, yamlDocuments} from './yaml.ts'

type Mapping = Record<string, unknown>
type Role = 'prefill' | 'decode'

const SIDECAR_IMAGE = 'ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.8.0'
const SECRET = 'llm-d-hf-token'

/**
 * Prefill and decode as two Deployments for llm-d's router. Labels, ports and the sidecar of the decode pods as in
 * llm-d/llm-d guides/pd-disaggregation/modelserver/gpu/{vllm,sglang}/base (34272a6415a3535960d205ff22d7dbac7e8c3e36,
 * 04291b76eb00959cd3912f1b4f40108aec6bbc82, d5f76180ca4f14e67b936cac0f3d23afab7335c8) and
 * guides/recipes/modelserver/base/single-host/pd/vllm/patch-sidecar.yaml (9829045ebe35b45a72d406676b53919008d7f7ad).
 */
export const llmD: Format = {
  id: 'llm-d',
  summary: 'llm-d model servers with prefill and decode apart',
  write(startable) {
    const {launch, engine, gpusPerNode, vendor} = startable
    if (engine.id === 'trtllm') throw cannot('llm-d serves vLLM and SGLang: use --format dynamo')
    if (engine.id === 'sglang' && vendor !== 'nvidia') throw cannot('llm-d serves SGLang on NVIDIA GPUs: use --engine vllm')
    if (launch.nodes) throw cannot('prefill and decode over several nodes each are not written for llm-d: plan one that fits a node, or use --format dynamo')
    const split = splitReplicas(startable)
    const {prefill, decode, because} = split
    const note = `${splitWords(split, 'server')}, each as planned: ${prefill + decode} x ${gpusPerNode} GPUs in total. ${because}
The router is installed first, as guides/pd-disaggregation of llm-d/llm-d says; it finds these pods by llm-d.ai/guide.
The Secret is needed: kubectl create secret generic ${SECRET} --from-literal=HF_TOKEN=...`
    const documents = [cacheClaim(startable, 'ReadWriteMany'), deployment(startable, 'prefill'), deployment(startable, 'decode')]
    return [{name: 'llm-d.yaml', text: `${commentLines(note)}${yamlDocuments(documents)}`}]
  },
}

/** The router speaks to port 8000: the sidecar's in decode pods, whose server stands behind it. */
const ROUTED_PORT = 8000
const BEHIND_SIDECAR_PORT = 8200

function deployment(startable: Startable, role: Role): Mapping {
  const {name, engine, vendor} = startable
  const labels = {
    'llm-d.ai/inference-serving': 'true',
    'llm-d.ai/guide': 'pd-disaggregation',
    'llm-d.ai/model': name,
    'llm-d.ai/role': role,
    'llm-d.ai/accelerator-variant': 'gpu',
    'llm-d.ai/accelerator-vendor': vendor,
    'inference.networking.k8s.io/engine-type': engine.id,
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: `${name}-${role}`, labels},
    spec: {
      replicas: splitReplicas(startable)[role],
      selector: {matchLabels: {'llm-d.ai/model': name, 'llm-d.ai/role': role}},
      template: {
        metadata: {labels},
        spec: {
          ...(role === 'decode' && {initContainers: [sidecar(engine.id)]}),
          containers: [server(startable, role)],
          ...podFrame(startable),
        },
      },
    },
  }
}

/** Sends the prompt to a prefill server, then the answer to the one beside it. */
const sidecar = (engine: string): Mapping => ({
  name: 'routing-proxy',
  image: SIDECAR_IMAGE,
  args: [`--port=${ROUTED_PORT}`, `--kv-connector=${engine === 'sglang' ? 'sglang' : 'nixlv2'}`, '--secure-serving=false'],
  ports: [{name: 'sidecar', containerPort: ROUTED_PORT}],
  restartPolicy: 'Always',
  securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true},
})

function roleFlags({engine}: Startable, role: Role, port: number): LaunchFlag[] {
  const listen: LaunchFlag = {flag: '--port', value: port, because: role === 'decode' ? 'behind the sidecar' : 'where the router looks'}
  if (engine.id === 'sglang') {
    return [
      listen,
      {flag: '--disaggregation-mode', value: role, because: role === 'prefill' ? 'reads prompts' : 'writes answers'},
      {flag: '--disaggregation-transfer-backend', value: 'nixl', because: 'how the cache is handed over'},
    ]
  }
  return [
    listen,
    {
      flag: '--kv-transfer-config',
      value: JSON.stringify({kv_connector: 'NixlConnector', kv_role: role === 'prefill' ? 'kv_producer' : 'kv_both'}),
      because: 'how the cache is handed over',
    },
  ]
}

function server(startable: Startable, role: Role): Mapping {
  const port = role === 'decode' ? BEHIND_SIDECAR_PORT : ROUTED_PORT
  const own = podLines(startable).filter(({words}) => words[0] !== '--port')
  const lines: Line[] = [...own, ...roleFlags(startable, role, port).map((flag) => ({words: flagWords(flag), because: flag.because}))]
  const container = engineContainer(startable, podWords(lines), startable.gpusPerNode)
  const environment = (container.env as Mapping[]).map((entry) =>
    entry.name === 'HF_TOKEN' ? {name: 'HF_TOKEN', valueFrom: {secretKeyRef: {name: SECRET, key: 'HF_TOKEN'}}} : entry,
  )
  if (startable.engine.id === 'vllm')
    environment.push({
      name: 'VLLM_NIXL_SIDE_CHANNEL_HOST',
      valueFrom: remarked({fieldRef: {fieldPath: 'status.podIP'}}, 'where the other role finds this one'),
    } as Mapping)
  return {...container, name: 'modelserver', env: environment, ports: [{name: 'http', containerPort: port}], ...probes(startable)}
}
