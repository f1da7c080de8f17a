import {deviceEnvironment} from './devices.ts'
import {cannot, type Format, requireOneServer} from './format.ts'
import {commandText, exportText, programText} from './shell.ts'
import {keyComment, withoutSecrets} from './key.ts'
import {linesOf} from './words.ts'

/** A Ray cluster over the nodes, and one command on its head (vLLM docs/serving/parallelism_scaling.md). */
export const ray: Format = {
  id: 'ray',
  summary: 'a Ray cluster and the command on its head (vLLM)',
  write(startable) {
    const {launch, engine} = startable
    if (engine.id !== 'vllm') throw cannot(`only vLLM is started on Ray here: use --format command or slurm for ${engine.title}`)
    requireOneServer(startable, 'Ray')
    if (!launch.nodes) throw cannot('this deployment fits one machine and needs no Ray: use --format command')
    if (launch.nodes.problem !== undefined) throw cannot(launch.nodes.problem)
    const {count, gpusPerNode, ray: flags} = launch.nodes
    if (!flags) throw cannot(`vLLM ${engine.version} does not spread this layout over Ray: use a later --engine-version`)
    // Every process of a node inherits what the node was started with.
    const environment = [...deviceEnvironment({...startable, identities: undefined}), ...launch.environment]
    const exports = exportText({...launch, environment})
    const head = `${keyComment(startable)}# On node 0. HEAD_ADDRESS: the address of this node, as the others reach it. Needs vLLM and Ray (pip install ray) on every node.
: "\${HEAD_ADDRESS:?the address of this node, as the others reach it}"
${exports}export VLLM_HOST_IP="$HEAD_ADDRESS"
ray start --head --node-ip-address="$HEAD_ADDRESS" --port=6379 --num-gpus=${gpusPerNode}
# When the other nodes have joined (ray status shows ${count * gpusPerNode} GPUs):
${commandText([programText(launch)], linesOf({...launch, flags: [...launch.flags, ...flags]}))}`
    const worker = `# On each of the other ${count - 1 === 1 ? 'nodes (one)' : `${count - 1} nodes`}. HEAD_ADDRESS: the address of node 0; NODE_ADDRESS: the one of this node.
: "\${HEAD_ADDRESS:?the address of node 0}" "\${NODE_ADDRESS:?the address of this node}"
${exportText(withoutSecrets({...launch, environment}))}export VLLM_HOST_IP="$NODE_ADDRESS"
ray start --address="$HEAD_ADDRESS":6379 --node-ip-address="$NODE_ADDRESS" --num-gpus=${gpusPerNode} --block
`
    return [
      {name: 'ray-head.sh', text: head},
      {name: 'ray-worker.sh', text: worker},
    ]
  },
}
