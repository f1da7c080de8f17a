import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openCatalogue} from '../../catalogue/catalogue.ts'
import {type Assault, type Part, whole} from './assault.ts'
import {childEnvironment, servefit} from './child.ts'

/** Processes that save at once. */
const AT_ONCE = 32

/** What is kept when many keep something at once. */
export const saves: Part = {
  name: 'saves',
  share: 6,
  async run(assault) {
    do await allKept(assault)
    while (assault.secondsLeft > 30)
  },
}

/** So many corrections, each of another card, saved by as many processes at the same time. */
async function allKept(assault: Assault): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
  try {
    const catalogue = openCatalogue(join(assault.root, 'dist', 'data'))
    const random = assault.random(0)
    const cards = catalogue.gpus.filter(({vendor, memoryBytes}) => vendor === 'nvidia' && memoryBytes >= 20 * 2 ** 30).map(({id}) => id)
    while (cards.length > AT_ONCE) cards.splice(whole(random, 0, cards.length - 1), 1)
    const log = join(assault.root, 'test', 'fixtures', 'verify', 'vllm-0.11.1-qwen3-8b-rtx-4090.log')
    const folder = join(home, '.config', 'servefit')
    mkdirSync(folder, {recursive: true})
    // What a process left that was killed in a container, where its number is always the same.
    writeFileSync(join(folder, 'measured.json.1.new'), '{')
    const ends = await Promise.all(
      cards.map((card) => servefit(assault.root, ['verify', log, '--gpu', card, '--save', '--force'], {env: childEnvironment(home), timeoutSeconds: 120})),
    )
    const measured = JSON.parse(readFileSync(join(folder, 'measured.json'), 'utf8')) as {corrections: {gpu: string}[]}
    const kept = new Set(measured.corrections.map(({gpu}) => gpu))
    const lost = cards.filter((card, at) => ends[at]!.code === 0 && !kept.has(card))
    const failed = ends.filter(({code}) => code !== 0 && code !== 1)
    assault.count('saves at once', cards.length)
    const reproduce = `for g in ${cards.join(' ')}; do servefit verify ${log} --gpu $g --save --force & done`
    if (lost.length > 0) assault.found({what: `${lost.length} of ${cards.length} corrections are lost, and were said to be saved`, reproduce})
    if (failed.length > 0) assault.found({what: `${failed.length} saves failed: ${failed[0]!.stderr.slice(0, 300)}`, reproduce})
  } catch (error) {
    assault.found({
      what: `what was saved cannot be read: ${(error as Error).message}`,
      reproduce: `${AT_ONCE} times servefit verify LOG --gpu CARD --save at once`,
    })
  } finally {
    rmSync(home, {recursive: true, force: true})
  }
}
