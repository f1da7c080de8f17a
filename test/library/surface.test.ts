import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {declarations} from '../../src/build/types.ts'
import {root} from '../commands/spawn.ts'

/** What is asked with: a field that goes, or means something else, breaks programs. What is answered with is the contract's, and has tests of its own. */
const HELD = [
  'CapacityLoad',
  'CapacityQuestion',
  'CheckOptions',
  'CompareQuestion',
  'ConfigOptions',
  'Data',
  'DeploymentRequest',
  'EngineOptions',
  'FitQuestion',
  'HandedFiles',
  'InputError',
  'LocalOptions',
  'LocalServefit',
  'ModelFilter',
  'ModelSources',
  'ModelsQuestion',
  'Objectives',
  'OpenOptions',
  'PlanQuestion',
  'Question',
  'Scenario',
  'Servefit',
  'UpgradeOptions',
  'VerifyQuestion',
  'Workload',
]

/** A declaration without its comments. */
function declaration(text: string, name: string): string | undefined {
  const bare = text.replaceAll(/\/\*\*[\s\S]*?\*\/\s*/g, '')
  const line = new RegExp(`^(?:export )?type ${name}\\b[^\\n]*;$`, 'm')
  const block = new RegExp(`^(?:export )?(?:declare )?(?:interface|class) ${name}\\b[\\s\\S]*?^\\}$`, 'm')
  return (line.exec(bare) ?? block.exec(bare))?.[0]
}

let files = new Map<string, string>()
beforeAll(async () => {
  files = await declarations(root)
}, 180_000)

describe('the interface of the library', () => {
  it('holds what its snapshot holds: a change here is a change of the version (docs/library.md)', async () => {
    const exported = (name: string) => {
      const text = files.get(name)!
      const own = [...text.matchAll(/^export (?:declare )?(const|function|interface|class|type) (\w+)/gm)].map(([, kind, word]) =>
        kind === 'interface' || kind === 'type' ? `type ${word}` : word!,
      )
      const passed = /export \{([^}]*)\};?\s*$/
        .exec(text)![1]!
        .split(',')
        .map((word) => word.trim().replace(/^.* as /, ''))
      return [...own, ...passed].sort()
    }
    const text = [...files.values()].join('\n')
    const parts = HELD.map((name) => declaration(text, name) ?? `${name} is not declared`)
    const surface = [`servefit:\n${exported('node.d.ts').join('\n')}`, `servefit/open:\n${exported('open.d.ts').join('\n')}`, ...parts].join('\n\n')
    await expect(`${surface}\n`).toMatchFileSnapshot(join(root, 'test', 'golden', 'library-surface.txt'))
  })

  it('names nothing of a package that is not installed with it', () => {
    const imported = [...files.values()].flatMap((text) => [...text.matchAll(/from ["']([^"']+)["']/g)].map(([, from]) => from!))
    expect(imported.filter((from) => !from.startsWith('./'))).toEqual([])
  })
})
