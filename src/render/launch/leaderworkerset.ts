import {cannot, type Format} from './format.ts'
import {aroundOf} from './kubernetes.ts'
import {cacheClaim, engineConfigMap, engineContainer, podFrame, podText, podWords, probes, secretNote, service} from './pod.ts'
import {needsRouter} from './router.ts'
import {routerDocuments} from './router-pod.ts'
import {FILE_IN_CONTAINER} from './docker.ts'
import {inContainer, type Startable} from './startable.ts'
import {type Line, linesOf, type Role, type Word} from './words.ts'
import {aroundIn, commentLines, remarked, yamlDocuments} from './yaml.ts'

type Mapping = Record<string, unknown>

/**
 * A LeaderWorkerSet: one group of pods, a node each, that starts and fails as one. Field names and the variables of a pod:
 * kubernetes-sigs/lws docs/examples/{sglang/lws.yaml,vllm/GPU/lws.yaml} and
 * config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml at 060ab4da17eea1f0865fcbd3236bb1075e2cea32.
 */
export const leaderWorkerSet: Format = {
  id: 'leaderworkerset',
  summary: 'a Kubernetes LeaderWorkerSet, for several nodes',
  write(startable) {
    const {launch, engine} = startable
    if (!launch.nodes) throw cannot('this deployment fits one node: use --format kubernetes')
    if (launch.nodes.problem !== undefined) throw cannot(launch.nodes.problem)
    if (!launch.nodes.own)
      throw cannot(
        `how ${engine.title} ${engine.version} runs in a LeaderWorkerSet is not known for certain: use --format ${launch.nodes.mpi ? 'slurm' : 'ray'}`,
      )
    const note = `Needs the LeaderWorkerSet controller, and a storage class that many nodes can mount for the cache.\n${secretNote(startable)}`
    return [{name: 'leaderworkerset.yaml', text: `${commentLines(note)}${yamlDocuments(documents(startable))}`}]
  },
  around(startable) {
    const {leaderTemplate} = (set(startable).spec as {leaderWorkerTemplate: {leaderTemplate: {spec: Mapping}}}).leaderWorkerTemplate
    return [
      ...documents(startable)
        .filter(({kind}) => kind !== 'LeaderWorkerSet')
        .flatMap((document) => aroundOf(document)),
      ...aroundOf({spec: {template: {spec: leaderTemplate.spec}}}),
      ...aroundIn({leaderWorkerTemplate: {restartPolicy: RESTART_POLICY}}),
    ]
  },
}

const RESTART_POLICY = remarked('RecreateGroupOnPodRestart', 'when one rank is lost, all of them start again together')

function documents(startable: Startable): Mapping[] {
  const {name} = startable
  const leader = {'leaderworkerset.sigs.k8s.io/name': name, role: 'leader'}
  return [
    ...engineConfigMap(startable),
    cacheClaim(startable, 'ReadWriteMany'),
    set(startable),
    ...(needsRouter(startable) ? routerDocuments(startable, leader, leaderService(name)) : [service(startable, leaderService(name), leader)]),
  ]
}

/** The controller gives the set a headless Service of its own name, so this one needs another. */
export const leaderService = (name: string): string => `${name}-leader`

function set(startable: Startable): Mapping {
  const {name, port, launch} = startable
  const first = pod(startable, 'first')
  const leader = {...first, containers: [{...(first.containers as Mapping[])[0], ports: [{name: 'http', containerPort: port}], ...probes(startable)}]}
  return {
    apiVersion: 'leaderworkerset.x-k8s.io/v1',
    kind: 'LeaderWorkerSet',
    metadata: {name},
    spec: {
      replicas: startable.replicas ?? 1,
      leaderWorkerTemplate: {
        size: launch.nodes!.count,
        restartPolicy: RESTART_POLICY,
        leaderTemplate: {metadata: {labels: {role: 'leader'}}, spec: leader},
        workerTemplate: {spec: pod(startable, 'follower')},
      },
    },
  }
}

/** `$(NAME)` for what the controller sets. */
const nodeText = ({before, node}: Exclude<Word, string>): string =>
  `${podText(before)}$(${node.of === 'address' ? 'LWS_LEADER_ADDRESS' : 'LWS_WORKER_INDEX'})${podText(node.after ?? '')}`

const isScaled = (line: Line): boolean => line.words.some((word) => typeof word !== 'string' && (word.node.times ?? 1) !== 1)

function pod(startable: Startable, role: Role): Mapping {
  const lines =
    role === 'first'
      ? linesOf(inContainer(startable, FILE_IN_CONTAINER), 'first')
      : linesOf({...startable.launch, ...(startable.launch.file && {file: {...startable.launch.file, name: FILE_IN_CONTAINER}})}, 'follower')
  const container = engineContainer(
    startable,
    podWords(
      lines.filter((line) => !isScaled(line)),
      nodeText,
    ),
    startable.launch.nodes!.gpusPerNode,
  )
  const scaled = lines.filter(isScaled)
  return {
    containers: [scaled.length === 0 ? container : throughShell(container, startable, scaled)],
    ...podFrame(startable),
  }
}

/** Kubernetes does not multiply: a shell adds the words that need it, and leaves all others as they are. */
function throughShell(container: Mapping, {launch}: Startable, scaled: readonly Line[]): Mapping {
  const added = scaled
    .map(({words}) => words.map((word) => (typeof word === 'string' ? word : `"$((LWS_WORKER_INDEX * ${word.node.times}))"`)).join(' '))
    .join(' ')
  const {command, args} = container as {command?: unknown[]; args: unknown[]}
  const {name, image, ...rest} = container
  delete rest.command
  delete rest.args
  const words = command === undefined ? args : [...command, ...args]
  return {name, image, command: ['sh', '-c', podText(`exec "$@" ${added}`), launch.program[0]], args: words, ...rest}
}
