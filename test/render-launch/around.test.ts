import {spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parse, parseAllDocuments} from 'yaml'
import {explainLaunch} from '../../src/render/launch/explain.ts'
import {FORMATS, formatOf, joinArtifacts, placed, writeFormat} from '../../src/render/launch/formats.ts'
import {killSeconds, startPatience, stopPatience} from '../../src/render/launch/patience.ts'
import {splitReplicas} from '../../src/render/launch/split.ts'
import type {Startable} from '../../src/render/launch/startable.ts'
import {imageFor} from '../../src/engines/launch/serving.ts'
import {type Given, servingOf, startable, TWO_NODES} from './startables.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents of many kinds
type Document = any

const NON_ROOT = {user: 2000, group: 0, home: '/home/vllm'}
const textOf = (format: string, start: Startable) => joinArtifacts(writeFormat(format, start))
const documentsOf = (format: string, start: Startable): Document[] => parseAllDocuments(textOf(format, start)).map((document) => document.toJS())
const of = (found: Document[], kind: string, name?: string): Document =>
  found.find((document) => document.kind === kind && (name === undefined || document.metadata.name === name))
const with_ = (given: Given, more: Partial<Startable> = {}): Startable => ({...startable(given), ...more})

describe('how long a start may take', () => {
  it('is the download, the disk and the link, beside half an hour', () => {
    // 65 GB: 650 s at 100 MB/s, 130 s at 500 MB/s; 32.5 GB on each card at 25 GB/s are 1.3 s, so 2.
    const start = with_({}, {loading: {bytesPerGpu: 32.5e9, bytesPerSecond: 25e9}})
    expect(startPatience(start)).toEqual({
      seconds: 1800 + 650 + 130 + 2,
      because: 'half an hour to compile and tune, 650 s to download 65 GB at 100 MB/s, 130 s to read them at 500 MB/s, 2 s onto the cards at 25 GB/s for each',
    })
  })

  it('a folder of this machine is not downloaded', () => {
    expect(startPatience(with_({model: '/srv/model'})).seconds).toBe(1800 + 130)
  })

  it('stands in every format that waits', () => {
    const start = startable()
    expect(parse(textOf('compose', start)).services['qwen3-32b'].healthcheck.start_period).toBe('2580s')
    const [container] = of(documentsOf('kubernetes', start), 'Deployment').spec.template.spec.containers
    expect(container.startupProbe).toMatchObject({periodSeconds: 10, failureThreshold: 258})
    // Five starts that fail at their end.
    expect(textOf('systemd', start)).toContain('StartLimitIntervalSec=12900\nStartLimitBurst=5\n')
  })
})

describe('a stop', () => {
  it('waits as long as an answer takes at the planned load: a minute at least, ten at most', () => {
    for (const [answerSeconds, seconds] of [
      [7.2, 60],
      [61.2, 62],
      [4000, 600],
    ] as const)
      expect(stopPatience(with_({}, {answerSeconds})).seconds).toBe(seconds)
    expect(killSeconds(with_({}, {answerSeconds: 61.2}))).toBe(92)
  })

  it('vLLM is told to wait from 0.18.0 on, SGLang does, and a value that was set by hand stays', () => {
    const start = with_({version: '0.18.0'}, {answerSeconds: 100})
    expect(textOf('docker', start)).toContain('--shutdown-timeout 100')
    expect(textOf('docker', start)).toContain('--stop-timeout 130')
    expect(textOf('docker', startable({version: '0.17.1'}))).not.toContain('--shutdown-timeout')
    expect(textOf('docker', startable({engine: 'sglang'}))).not.toContain('shutdown')
    const set = {...start, launch: {...start.launch, flags: [{flag: '--shutdown-timeout', value: 5, because: 'set by hand'}]}}
    expect(textOf('docker', set).match(/--shutdown-timeout \d+/g)).toEqual(['--shutdown-timeout 5'])
    // Whoever started a command stops it with Ctrl-C.
    expect(textOf('command', start)).not.toContain('shutdown')
    // Placed twice, as config does, it stands there once.
    expect(placed(placed(start, 'docker'), 'docker').launch.flags.filter(({flag}) => flag === '--shutdown-timeout')).toHaveLength(1)
  })

  it('is known to a Service before, and longer than what the engine waits', () => {
    const pod = of(documentsOf('kubernetes', with_({}, {answerSeconds: 100})), 'Deployment').spec.template.spec
    expect(pod.terminationGracePeriodSeconds).toBe(100 + 30 + 5)
    expect(pod.containers[0].lifecycle.preStop.exec.command).toEqual(['sleep', '5'])
    const unit = textOf('systemd', with_({}, {answerSeconds: 100}))
    expect(unit).toContain('ExecStop=docker stop --time 130 qwen3-32b\n')
    expect(unit).toContain('TimeoutStopSec=140\n')
  })

  it('Slurm says it in time', () => {
    expect(textOf('slurm', with_({}, {answerSeconds: 100}))).toContain('#SBATCH --time=1-00:00:00\n#SBATCH --signal=TERM@130\n#SBATCH --requeue\n')
  })
})

describe('who it runs as', () => {
  it('a user of the image where there is one, with caches in a folder that its group may write to', () => {
    const start = with_({}, {nonRoot: NON_ROOT})
    const shell = textOf('docker', start)
    expect(shell).toContain('mkdir -p "$HOME"/.cache/huggingface "$HOME"/.cache/vllm\n')
    expect(shell).toContain('  --user "$(id -u):0" \\\n  --env \'HOME=/home/vllm\' \\\n')
    expect(shell).toContain('--volume "$HOME"/.cache/vllm:/home/vllm/.cache/vllm')
    expect(shell).not.toContain(':/root')
    const service = parse(textOf('compose', start)).services['qwen3-32b']
    expect(service.user).toBe('${HOST_UID:-1000}:0')
    expect(service.volumes.map(({target}: Document) => target)).toEqual(['/home/vllm/.cache/huggingface', '/home/vllm/.cache/vllm'])
    const unit = textOf('systemd', start)
    expect(unit).toContain('ExecStartPre=install -d -m 2775 -o 2000 -g 0 /var/cache/huggingface /var/cache/vllm\n')
    expect(unit).toContain('--user 2000:0')
    const pod = of(documentsOf('kubernetes', start), 'Deployment').spec.template.spec
    expect(pod.securityContext).toEqual({runAsNonRoot: true, runAsUser: 2000, runAsGroup: 0, fsGroup: 0})
    expect(pod.containers[0].securityContext).toEqual({allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}})
    expect(pod.automountServiceAccountToken).toBe(false)
  })

  it('root where the image has nobody else', () => {
    const pod = of(documentsOf('kubernetes', startable()), 'Deployment').spec.template.spec
    expect(pod).not.toHaveProperty('securityContext')
    expect(pod.containers[0].volumeMounts.map(({mountPath, subPath}: Document) => [mountPath, subPath])).toEqual([
      ['/dev/shm', undefined],
      ['/root/.cache/huggingface', 'huggingface'],
      ['/root/.cache/vllm', 'vllm'],
    ])
  })

  it("keeps SGLang's kernels too, where that release has them", () => {
    expect(textOf('docker', startable({engine: 'sglang', version: '0.5.18'}))).toContain('.cache/sglang:/root/.cache/sglang')
    expect(textOf('docker', startable({engine: 'sglang', version: '0.5.18'}))).not.toContain('deep_gemm')
    expect(textOf('docker', startable({engine: 'sglang', version: '0.5.10'}))).toContain('.cache/deep_gemm:/root/.cache/deep_gemm')
  })
})

describe('which cards', () => {
  const identities = ['GPU-0a1b', 'GPU-2c3d']
  const known = with_({version: '0.28.0', devices: [0, 2]}, {identities, devicesMatter: true})

  it('by identity, where this machine was looked at', () => {
    expect(textOf('docker', known)).toContain(`--gpus '"device=GPU-0a1b,GPU-2c3d"'`)
    expect(parse(textOf('compose', known)).services['qwen3-32b'].deploy.resources.reservations.devices[0].device_ids).toEqual(identities)
    expect(textOf('command', known)).toMatch(/^CUDA_VISIBLE_DEVICES='GPU-0a1b,GPU-2c3d' \\\n/)
    // It reads numbers only (vllm/platforms/interface.py of 0.23.0).
    expect(textOf('command', {...known, engine: {...known.engine, version: '0.23.0'}})).toContain(
      `CUDA_DEVICE_ORDER='PCI_BUS_ID' \\\nCUDA_VISIBLE_DEVICES='0,2' \\\n`,
    )
  })

  it('a slice that was found is pinned, and one of a kind is asked for', () => {
    const found = with_({}, {slice: {profile: '3g.40gb', identity: 'MIG-11-22', variable: 'MIG_DEVICE'}, gpusPerNode: 1})
    expect(textOf('docker', found)).toContain("--gpus 'device=MIG-11-22'")
    expect(textOf('systemd', found)).toContain('--gpus device=MIG-11-22')
    expect(textOf('command', found)).toContain("CUDA_VISIBLE_DEVICES='MIG-11-22'")
    const named = {...found, slice: {profile: '3g.40gb', variable: 'MIG_DEVICE'}}
    expect(textOf('docker', named)).toContain(`--gpus 'device='"\${MIG_DEVICE:?`)
    expect(textOf('command', named)).toContain(`CUDA_VISIBLE_DEVICES="\${MIG_DEVICE:?`)
    expect(textOf('systemd', named)).toContain('--gpus device=${MIG_DEVICE}')
    expect(textOf('systemd', named)).toContain('EnvironmentFile=/etc/servefit/')
    const [{device_ids: ids}] = parse(textOf('compose', named)).services['qwen3-32b'].deploy.resources.reservations.devices
    expect(ids).toEqual(['${MIG_DEVICE:?the identity of a slice (MIG-...), as nvidia-smi -L prints it}'])
    expect(() => textOf('command', {...named, engine: {...named.engine, version: '0.23.0'}})).toThrow(/--format docker/)
    const [container] = of(documentsOf('kubernetes', named), 'Deployment').spec.template.spec.containers
    expect(container.resources.limits).toEqual({'nvidia.com/mig-3g.40gb': '1'})
    const {decode} = of(documentsOf('dynamo', named), 'DynamoGraphDeployment').spec.services
    expect(decode.resources.limits).toEqual({gpu: '1', gpuType: 'nvidia.com/mig-3g.40gb'})
    // Slurm shows a job what it gives it.
    expect(textOf('slurm', named)).not.toContain('MIG_DEVICE')
  })

  it('by the label of the node in Kubernetes', () => {
    const nodeLabel = {key: 'nvidia.com/gpu.product', values: ['NVIDIA-H100-80GB-HBM3'], because: 'only these'}
    for (const [format, given] of [
      ['kubernetes', {}],
      ['leaderworkerset', {nodes: TWO_NODES}],
      ['llm-d', {}],
    ] as [string, Given][]) {
      const text = textOf(format, with_(given, {nodeLabel}))
      expect(text).toContain('- key: nvidia.com/gpu.product')
      expect(text).toContain('values: [NVIDIA-H100-80GB-HBM3]')
    }
    expect(textOf('kubernetes', startable())).not.toContain('affinity')
  })
})

describe('several nodes', () => {
  it('ask for RDMA where they are known to have it, and say how where they are not', () => {
    const known = documentsOf('leaderworkerset', with_({nodes: TWO_NODES}, {networkFabric: 'InfiniBand', nonRoot: NON_ROOT}))
    const {leaderTemplate, workerTemplate} = of(known, 'LeaderWorkerSet').spec.leaderWorkerTemplate
    for (const {spec} of [leaderTemplate, workerTemplate]) {
      expect(spec.containers[0].resources.limits).toEqual({'nvidia.com/gpu': '8', 'rdma/ib': '1'})
      // A capability does nothing for a user that is not root.
      expect(spec.containers[0].securityContext).toEqual({allowPrivilegeEscalation: false, capabilities: {add: ['IPC_LOCK']}})
      expect(spec).not.toHaveProperty('securityContext')
    }
    for (const networkFabric of [undefined, 'EFA', 'RoCE / Ethernet', 'gVNIC / RoCE']) {
      const text = textOf('leaderworkerset', with_({nodes: TWO_NODES}, {networkFabric}))
      expect(text).toMatch(/^# .*rdma\/ib: "1"/m)
      expect(text).not.toMatch(/^ +rdma\/ib/m)
    }
  })

  it('pass on which network NCCL takes, and give a container the devices that are there', () => {
    const [first] = writeFormat('docker', startable({nodes: TWO_NODES}))
    expect(first!.text).toContain('--env NCCL_SOCKET_IFNAME \\\n  --env GLOO_SOCKET_IFNAME \\\n  --env NCCL_IB_HCA \\\n  --env VLLM_HOST_IP \\\n')
    expect(first!.text).toContain('if [ -e /dev/infiniband ]; then\n  set -- --device /dev/infiniband --cap-add IPC_LOCK\nfi\n')
    expect(first!.text).toContain('  "$@" \\\n')
    expect(first!.text).toContain("--ulimit 'memlock=-1'")
  })
})

describe('several servers stand behind a router', () => {
  const two = with_({}, {replicas: 2, gpusPerNode: 2, nonRoot: NON_ROOT})
  const gateway = with_({engine: 'sglang'}, {replicas: 2, gpusPerNode: 2})

  it('compose: each on cards of its own, none of them published', () => {
    const {services, configs} = parse(textOf('compose', two))
    expect(Object.keys(services)).toEqual(['qwen3-32b-0', 'qwen3-32b-1', 'qwen3-32b-router'])
    const devices = (name: string) => services[name].deploy.resources.reservations.devices[0].device_ids
    expect([devices('qwen3-32b-0'), devices('qwen3-32b-1')]).toEqual([
      ['0', '1'],
      ['2', '3'],
    ])
    expect(Object.keys(services).filter((name) => services[name].ports)).toEqual(['qwen3-32b-router'])
    const template = configs.router.content.replaceAll('$$', '$')
    expect(template.match(/^ +server \S+/gm)).toEqual(['    server qwen3-32b-0:8000', '    server qwen3-32b-1:8000'])
    expect(template).toContain('least_conn;')
    expect(template.split('{').length).toBe(template.split('}').length)
  })

  it("compose: SGLang's own gateway knows them by name, and asks for their key", () => {
    const {services} = parse(textOf('compose', gateway))
    const {command} = services['qwen3-32b-router']
    expect(command.slice(0, 3)).toEqual(['--worker-urls', 'http://qwen3-32b-0:30000', 'http://qwen3-32b-1:30000'])
    const open = {...gateway, isPublic: true, launch: {...gateway.launch, key: {flag: '--api-key', variable: 'SGLANG_API_KEY', because: ''}}}
    const {command: asked, ports} = parse(textOf('compose', open)).services['qwen3-32b-router']
    expect(asked.slice(-2)).toEqual(['--api-key', '${SGLANG_API_KEY:?no API key}'])
    expect(ports).toEqual(['30000:30000'])
  })

  it('docker: one script starts them on a network of their own', () => {
    const text = textOf('docker', two)
    expect(text.match(/^docker run/gm)).toHaveLength(3)
    expect(text.match(/--publish \S+/g)).toEqual(['--publish 127.0.0.1:8000:8000'])
    expect(text.match(/--network \S+/g)).toEqual(['--network qwen3-32b', '--network qwen3-32b', '--network qwen3-32b'])
    expect(text.match(/device=[\d,]+/g)).toEqual(['device=0,1', 'device=2,3'])
  })

  it('systemd: a unit each, and one in front, which its own verifier takes', () => {
    const files = writeFormat('systemd', two)
    expect(files.map(({name}) => name)).toEqual(['qwen3-32b-0.service', 'qwen3-32b-1.service', 'qwen3-32b-router.service', 'qwen3-32b-router.conf.template'])
    const folder = mkdtempSync(join(tmpdir(), 'servefit-router-'))
    try {
      for (const {name, text} of files)
        writeFileSync(join(folder, name), text.replaceAll(/^(Exec\w+=-?)docker /gm, '$1/bin/true ').replaceAll('=install ', '=/bin/true '))
      const units = files.filter(({name}) => name.endsWith('.service')).map(({name}) => join(folder, name))
      const {error, status, stderr} = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], {encoding: 'utf8'})
      if (error) return
      const own = stderr.split('\n').filter((line) => line.includes('qwen3') && !/docker\.service/.test(line))
      expect({status, own}).toEqual({status, own: []})
    } finally {
      rmSync(folder, {recursive: true})
    }
  })

  it('kubernetes: the name of the deployment leads to the router, which sees each pod', () => {
    const found = documentsOf('kubernetes', two)
    expect(of(found, 'Deployment', 'qwen3-32b').spec.replicas).toBe(2)
    expect(of(found, 'Service', 'qwen3-32b').spec.selector).toEqual({app: 'qwen3-32b-router'})
    expect(of(found, 'Service', 'qwen3-32b-servers').spec).toMatchObject({clusterIP: 'None', selector: {app: 'qwen3-32b'}})
    const {containers} = of(found, 'Deployment', 'qwen3-32b-router').spec.template.spec
    expect(containers[0].env.map(({name}: Document) => name)).toEqual(['NAMESPACE', 'SERVERS', 'NGINX_ENTRYPOINT_LOCAL_RESOLVERS', 'NGINX_ENVSUBST_FILTER'])
    expect(of(found, 'ConfigMap', 'qwen3-32b-router').data['default.conf.template']).toContain('server ${SERVERS}:8000 resolve')
    expect(of(found, 'PersistentVolumeClaim').spec.accessModes).toEqual(['ReadWriteMany'])
  })

  it("kubernetes: SGLang's gateway looks pods up, with the right to see pods and no other", () => {
    const found = documentsOf('kubernetes', gateway)
    expect(of(found, 'Role').rules).toEqual([{apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch']}])
    const pod = of(found, 'Deployment', 'qwen3-32b-router').spec.template.spec
    expect(pod.serviceAccountName).toBe('qwen3-32b-router')
    expect(pod.containers[0].args.slice(0, 5)).toEqual(['--service-discovery', '--selector', 'app=qwen3-32b', '--service-discovery-port', '30000'])
    // It would not know the key of pods that it finds: what requests bring is passed on instead.
    const open = {...gateway, isPublic: true, launch: {...gateway.launch, key: {flag: '--api-key', variable: 'SGLANG_API_KEY', because: ''}}}
    expect(of(documentsOf('kubernetes', open), 'Deployment', 'qwen3-32b-router').spec.template.spec.containers[0].image).toContain('nginx')
  })

  it('leaderworkerset: leaders of all groups are behind it', () => {
    const found = documentsOf('leaderworkerset', with_({nodes: TWO_NODES}, {replicas: 3}))
    expect(of(found, 'LeaderWorkerSet').spec.replicas).toBe(3)
    expect(of(found, 'Service', 'qwen3-32b-servers').spec.selector).toEqual({'leaderworkerset.sigs.k8s.io/name': 'qwen3-32b', role: 'leader'})
    expect(of(found, 'Service', 'qwen3-32b-leader').spec.selector).toEqual({app: 'qwen3-32b-router'})
  })

  it('several servers over several nodes each are for a cluster', () => {
    expect(() => textOf('docker', with_({nodes: TWO_NODES}, {replicas: 2}))).toThrow(/--format leaderworkerset/)
  })

  it('a slice each, by a variable each', () => {
    const slices = with_({}, {replicas: 2, gpusPerNode: 1, slice: {profile: '2g.20gb', variable: 'MIG_DEVICE'}})
    expect(textOf('docker', slices).match(/MIG_DEVICE_\d/g)).toEqual(['MIG_DEVICE_0', 'MIG_DEVICE_1'])
    expect(of(documentsOf('kubernetes', slices), 'Deployment', 'qwen3-32b').spec.replicas).toBe(2)
    // A command is started once for each slice by hand.
    expect(textOf('command', slices)).toContain('CUDA_VISIBLE_DEVICES="${MIG_DEVICE:?')
  })

  it.each(['command', 'file', 'slurm'])('%s starts one, and says which formats start several', (format) => {
    expect(() => textOf(format, two)).toThrow(/--format compose/)
  })
})

describe('copies that read and copies that write', () => {
  it('share the time that prompts take: of ten, 30% are three', () => {
    expect(splitReplicas(with_({}, {replicas: 10, prefillShare: 0.3}))).toMatchObject({prefill: 3, decode: 7})
    // At least one of each.
    expect(splitReplicas(with_({}, {replicas: 3, prefillShare: 0}))).toMatchObject({prefill: 1, decode: 2})
    expect(splitReplicas(with_({}, {replicas: 3, prefillShare: 0.99}))).toMatchObject({prefill: 2, decode: 1})
    expect(splitReplicas(startable())).toMatchObject({prefill: 1, decode: 1})
  })

  it('stand in Dynamo and llm-d', () => {
    const start = with_({}, {replicas: 10, prefillShare: 0.3})
    const {prefill, decode} = of(documentsOf('dynamo', start), 'DynamoGraphDeployment').spec.services
    expect([prefill.replicas, decode.replicas]).toEqual([3, 7])
    const found = documentsOf('llm-d', start)
    expect([of(found, 'Deployment', 'qwen3-32b-prefill').spec.replicas, of(found, 'Deployment', 'qwen3-32b-decode').spec.replicas]).toEqual([3, 7])
    expect(textOf('llm-d', start)).toMatch(
      /^# 3 prefill and 7 decode servers, each as planned: 10 x 2 GPUs in total\. 10 copies were planned, and prompts take 30% /,
    )
  })
})

describe('--explain', () => {
  it('says why each part stands around the launch, and each of them stands in the file', () => {
    for (const {id, around} of FORMATS) {
      if (!around) continue
      const nodes = id === 'leaderworkerset'
      const start = placed(with_(nodes ? {nodes: TWO_NODES} : {}, {nonRoot: NON_ROOT, answerSeconds: 100}), id)
      const parts = around(start)
      expect(parts.length).toBeGreaterThan(3)
      const text = joinArtifacts(formatOf(id).write(start)).replaceAll(/["']/g, '')
      for (const {what, because} of parts) {
        expect(because).not.toBe('')
        // The value of a part is what its file says: the last word of it.
        const value = what.replaceAll(/["']/g, '').split(/[ =:]/).at(-1)!.replace('$(id', '').replace(/[[\]]/g, '')
        expect(text, `${id}: ${what}`).toContain(value.split('/').at(-1)!)
      }
    }
  })

  it('puts them behind the options', () => {
    const start = placed(with_({}, {nonRoot: NON_ROOT}), 'kubernetes')
    const shown = explainLaunch(start.launch, 200, formatOf('kubernetes').around!(start))
    expect(shown).toMatch(/^vllm serve Qwen\/Qwen3-32B\n[\s\S]*\nAround it\n\n/)
    expect(shown).toMatch(/^ {2}startupProbe\.failureThreshold: 258 +half an hour to compile and tune/m)
    expect(shown).toMatch(/^ {2}securityContext\.runAsNonRoot: true +the image has a user of its own/m)
  })
})

describe('what the model wants of its image', () => {
  const template = {flag: '--chat-template', value: '/vllm-workspace/examples/tool_chat_template_gemma4.jinja', because: 'tool calls'}
  const start = startable()
  const gemma = {...start, launch: {...start.launch, inImage: [template]}}

  it('stands where the image runs, and nowhere else', () => {
    for (const format of ['docker', 'compose', 'systemd', 'kubernetes', 'llm-d']) expect(textOf(format, gemma)).toContain(template.value)
    for (const format of ['command', 'file', 'slurm', 'dynamo']) expect(textOf(format, gemma)).not.toContain('chat-template')
  })

  it('leaves one that was set by hand', () => {
    const own = {flag: '--chat-template', value: '/srv/own.jinja', because: 'set by hand'}
    const text = textOf('docker', {...gemma, launch: {...gemma.launch, flags: [own]}})
    expect(text.match(/--chat-template \S+/g)).toEqual(['--chat-template /srv/own.jinja'])
  })
})

describe('the image', () => {
  const card = {vendor: 'nvidia'} as Parameters<typeof imageFor>[1]

  it('by tag, with its digest where one is known, and only of that tag', () => {
    const serving = servingOf('vllm')
    expect(imageFor(serving, card, '0.31.0')?.image).toMatch(/^vllm\/vllm-openai:v0\.31\.0@sha256:c1c9f6fd[0-9a-f]{56}$/)
    expect(imageFor(serving, card, '0.31.0', 'cu129')?.image).toBe('vllm/vllm-openai:v0.31.0-cu129')
    expect(imageFor(serving, card, '0.33.0')?.image).toBe('vllm/vllm-openai:v0.33.0')
  })

  it('as a user of its own from the release that has one', () => {
    expect(imageFor(servingOf('vllm'), card, '0.21.0')).not.toHaveProperty('nonRoot')
    expect(imageFor(servingOf('vllm'), card, '0.22.0')?.nonRoot).toEqual(NON_ROOT)
    expect(imageFor(servingOf('sglang'), card, '0.5.23')).not.toHaveProperty('nonRoot')
  })
})
