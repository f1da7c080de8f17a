import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parse, parseAllDocuments} from 'yaml'
import {formatOf} from '../../src/render/launch/formats.ts'
import type {Startable} from '../../src/render/launch/startable.ts'
import {remarked, yamlText} from '../../src/render/launch/yaml.ts'
import {anyFolder, anyStart, anyText} from './any-text.ts'
import {expectedWords, startable, TWO_NODES} from './startables.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents of many kinds
type Document = any

/** Documents of what a format writes, as both versions of YAML read them. */
function documents(format: string, start: Startable): Document[] {
  const {text} = formatOf(format).write(start)[0]!
  const read = (version: '1.1' | '1.2') =>
    parseAllDocuments(text, {version}).map((document) => {
      expect([...document.errors, ...document.warnings]).toEqual([])
      return document.toJS()
    })
  const newer = read('1.2')
  expect(read('1.1')).toEqual(newer)
  return newer
}

/** What Kubernetes makes of a word when no variable of that name is set. */
const inPod = (text: string): string => text.replace(/\$(\$|\(([^)]*)\))?/g, (whole, operator) => (operator === '$' ? '$' : whole))
const inCompose = (text: string): string => {
  expect(text.replaceAll('$$', '')).not.toContain('$')
  return text.replaceAll('$$', '$')
}

const RUNS = {numRuns: 40}
const of = (found: Document[], kind: string): Document => found.find((document) => document.kind === kind)

describe('manifests hold exactly the words that were meant', () => {
  it('compose', () => {
    fc.assert(
      fc.property(anyStart, anyFolder, (given, model) => {
        const start = startable({...given, model, file: {text: given.setting}})
        const [{services, configs}] = documents('compose', start)
        const service = services['qwen3-32b']
        expect([...service.entrypoint, ...service.command].map(inCompose)).toEqual([...expectedWords(start), '--config', '/etc/servefit/trtllm.yaml'])
        expect(service.environment.map(inCompose)).toEqual(['HF_TOKEN', `SERVEFIT_TEST=${given.setting}`])
        expect(inCompose(service.volumes.at(-1).source)).toBe(model)
        expect(parse(inCompose(configs.trtllm.content))).toEqual({text: given.setting})
      }),
      RUNS,
    )
  })

  it('kubernetes', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({...given, engine: 'trtllm', model: `/${given.model}`, file: {text: given.setting}})
        const found = documents('kubernetes', start)
        const pod = of(found, 'Deployment').spec.template.spec
        expect(pod.containers[0].args.map(inPod)).toEqual([...expectedWords(start), '--host', '0.0.0.0', '--config', '/etc/servefit/trtllm.yaml'])
        expect(inPod(pod.containers[0].env[1].value)).toBe(given.setting)
        expect(pod.volumes.at(-1).hostPath.path).toBe(`/${given.model}`)
        expect(parse(of(found, 'ConfigMap').data['trtllm.yaml'])).toEqual({text: given.setting})
      }),
      RUNS,
    )
  })

  it('leaderworkerset: what the controller sets is the only thing that is filled in', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({...given, model: `org/${given.model}`, nodes: TWO_NODES})
        const {leaderTemplate, workerTemplate} = of(documents('leaderworkerset', start), 'LeaderWorkerSet').spec.leaderWorkerTemplate
        const leader = leaderTemplate.spec.containers[0]
        const own = [...expectedWords(start), '--nnodes', '2', '--node-rank', '$(LWS_WORKER_INDEX)', '--dist-init-addr', '$(LWS_LEADER_ADDRESS):20000']
        expect([...leader.command, ...leader.args].map(inPod)).toEqual(own)
        const worker = workerTemplate.spec.containers[0]
        expect(worker.command.map(inPod)).toEqual(['sh', '-c', 'exec "$@" --start "$((LWS_WORKER_INDEX * 8))"', 'vllm'])
        expect(worker.args.map(inPod)).toEqual(own)
      }),
      RUNS,
    )
  })

  it('dynamo and llm-d', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({...given, model: `org/${given.model}`})
        const {prefill, decode} = of(documents('dynamo', start), 'DynamoGraphDeployment').spec.services
        const flags = expectedWords(start).slice(3)
        expect(prefill.extraPodSpec.mainContainer.args.slice(0, flags.length + 2).map(inPod)).toEqual(['--model', start.model, ...flags])
        expect(inPod(decode.envs[0].value)).toBe(given.setting)
        const servers = documents('llm-d', start).filter(({kind}) => kind === 'Deployment')
        for (const {spec} of servers) {
          const [{command, args}] = spec.template.spec.containers
          expect([...command, ...args].map(inPod).slice(0, flags.length + 3)).toEqual(expectedWords(start))
        }
      }),
      RUNS,
    )
  })

  it("the engine's own file", () => {
    fc.assert(
      fc.property(fc.array(anyText, {maxLength: 4}), anyText, (values, setting) => {
        const start = startable({values, setting})
        const kept = values.map((value, index) => [`flag-${index}`, value] as const).filter(([, value]) => !value.startsWith('-'))
        expect(documents('file', start)).toEqual([{...Object.fromEntries(kept), switch: true}])
      }),
      RUNS,
    )
  })
})

describe('YAML', () => {
  const leaf = fc.oneof(
    anyText,
    fc.integer(),
    fc.double({noNaN: true, noDefaultInfinity: true}),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.stringMatching(/^[ -~]*$/), {maxLength: 5}).map((lines) => `${lines.join('\n')}\n`),
  )
  const {tree} = fc.letrec((tie) => ({
    tree: fc.oneof(
      {depthSize: 'small', withCrossShrink: true},
      leaf,
      fc.array(tie('tree'), {maxLength: 4}),
      fc.dictionary(
        anyText.filter((key) => key !== '__proto__' && key !== ''),
        tie('tree'),
        {maxKeys: 4},
      ),
    ),
  }))
  const mapping = fc.dictionary(
    anyText.filter((key) => key !== '__proto__' && key !== ''),
    tree,
    {maxKeys: 4},
  ) as fc.Arbitrary<Record<string, unknown>>

  it('reads back as what was written, in both versions, with remarks anywhere', () => {
    const withRemarks = (value: unknown, remark: string): unknown => {
      if (Array.isArray(value))
        return remarked(
          value.map((part) => withRemarks(part, remark)),
          remark,
        )
      if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withRemarks(part, remark)]))
      return remarked(value, remark)
    }
    fc.assert(
      fc.property(mapping, anyText, (content, remark) => {
        const plain = JSON.parse(JSON.stringify(content))
        for (const version of ['1.1', '1.2'] as const) {
          expect(JSON.parse(JSON.stringify(parse(yamlText(content), {version})))).toEqual(plain)
          expect(JSON.parse(JSON.stringify(parse(yamlText(withRemarks(content, remark) as Record<string, unknown>), {version})))).toEqual(plain)
        }
      }),
      {numRuns: 150},
    )
  })

  it('keeps text of several lines readable', () => {
    expect(yamlText({data: {file: 'a: 1\n\n  b: 2\n'}})).toBe('data:\n  file: |\n    a: 1\n\n      b: 2\n')
  })

  it('leaves out what is undefined', () => {
    expect(yamlText({a: undefined, b: [{c: undefined, d: 1}]})).toBe('b:\n  - d: 1\n')
  })
})
