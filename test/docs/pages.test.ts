import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {DOCUMENTS} from '../../src/cli/documents.ts'
import {TOOLS} from '../../src/mcp/tools.ts'
import {root, servefit} from '../commands/spawn.ts'

const folder = join(root, 'docs')
const text = (page: string) => readFileSync(join(folder, page), 'utf8')
const pages = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.md'))

describe('the pages of docs', () => {
  it('are all found from the first one', () => {
    const elsewhere = ['README.md', join('skill', 'SKILL.md')]
    const own = pages.filter((name) => !name.startsWith('decisions') && !elsewhere.includes(name))
    expect(own.filter((name) => !text('README.md').includes(`(${name})`))).toEqual([])
  })

  it.each(pages)('%s links to what is there', (page) => {
    const targets = [...text(page).matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!)
    expect(targets.filter((target) => !existsSync(join(folder, dirname(page), target)))).toEqual([])
  })

  it('name every document with a schema, and every tool', () => {
    expect(Object.keys(DOCUMENTS).filter((name) => !text('contract.md').includes(`\`${name}\``))).toEqual([])
    const listed = [...text('agents.md').matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
    expect(listed).toEqual(TOOLS.map(({name}) => name))
  })
})

/** Commands of the skill's table, with what stands for a name put in. */
const commands = [...text(join('skill', 'SKILL.md')).matchAll(/^\|[^|]+\| `(servefit .*?)`/gm)].map(([, command]) =>
  command!.replaceAll('MODEL', 'qwen3-8b').replaceAll('--gpu ...', '--gpu 1xh100-sxm'),
)

describe('the skill', () => {
  it('has a command for most questions', () => expect(commands.length).toBeGreaterThan(6))

  it.each(commands)('%s', (command) => {
    const {code, stderr} = servefit(command.split(' ').slice(1))
    expect(stderr).toBe('')
    expect([0, 1]).toContain(code)
  })
})
