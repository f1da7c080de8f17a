import {spawnSync} from 'node:child_process'
import {chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {root} from './spawn.ts'

/** A card as nvidia-smi prints it for servefit's query. */
const CARD = '0, 00000000:01:00.0, 0x268410DE, 24564, 2, 24077, 8.9, 580.95.05, [N/A], 4, 16, NVIDIA GeForce RTX 4090'

/** What the examples call beside servefit: the product, a card, a remote host, a container, and the short way to run it in a clone. */
const TOOLS: Record<string, string> = {
  servefit: `exec "${process.execPath}" "${join(root, 'bin', 'run.js')}" "$@"`,
  npx: 'exec "$@"',
  'nvidia-smi': `case "$*" in *query-gpu*) echo '${CARD}';; *-L*) cat examples/nvidia-smi.txt;; *) cat examples/nvidia-smi.txt;; esac`,
  ssh: 'shift; exec sh -c "$*"',
  docker: 'cat examples/vllm.log',
}

export interface Shell {
  run(line: string): {code: number | null; stdout: string; stderr: string}
  end(): void
}

/** A shell in a folder that has the examples of the clone, offline, with nobody's settings. */
export function exampleShell(): Shell {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-examples-'))
  const bin = mkdtempSync(join(tmpdir(), 'servefit-tools-'))
  for (const [name, script] of Object.entries(TOOLS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const entry of ['examples', 'test']) symlinkSync(join(root, entry), join(folder, entry))
  return {
    run(line) {
      const {status, stdout, stderr} = spawnSync('sh', ['-c', line], {
        cwd: folder,
        encoding: 'utf8',
        input: '',
        env: {PATH: `${bin}:${process.env.PATH}`, HOME: folder, HF_HUB_OFFLINE: '1', NO_COLOR: '1'},
        maxBuffer: 1 << 28,
      })
      return {code: status, stdout, stderr}
    },
    end() {
      for (const path of [folder, bin]) rmSync(path, {recursive: true, force: true})
    },
  }
}

/** Servers run until they are stopped: their own tests start them. */
const isServer = (line: string): boolean => /\bservefit (?:web|mcp)\b/.test(line) && !/--help/.test(line)

/** What a shell of another kind does with the scripts of completion has a test of its own, as have the pipelines of docs/ci.md. */
export const isElsewhere = (line: string, place?: string): boolean => isServer(line) || /\bsource\b/.test(line) || place === 'docs/ci.md'

/** Every example of every `--help`. */
export function helpExamples(): string[] {
  const {commands} = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {commands: Record<string, {examples?: string[]}>}
  return Object.entries(commands).flatMap(([id, {examples = []}]) =>
    examples.map((example) => example.replaceAll('<%= config.bin %>', 'servefit').replaceAll('<%= command.id %>', id.replaceAll(':', ' '))),
  )
}

/** Commands of the README and of docs: lines of fenced blocks, and what stands in backquotes, with arguments and nothing to fill in. */
export function documentedCommands(): {place: string; line: string}[] {
  const files = ['README.md', ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]
  return files
    .flatMap((place) => commandsOf(readFileSync(join(root, place), 'utf8')).map((line) => ({place, line})))
    .filter(({line, place}) => !isElsewhere(line, place))
}

function commandsOf(text: string): string[] {
  const found: string[] = []
  const prose = text.replaceAll(/^```\w*\n([\s\S]*?)^```$/gm, (_, block: string) => {
    const joined = block.replaceAll(/\\\n\s*/g, ' ')
    for (const line of joined.split('\n')) {
      const command = line.replace(/^\$ /, '').replace(/\s{2,}#.*$/, '')
      if (/(^|\| |&& )(npx )?servefit( |$)/.test(command) && !/^npm /.test(command)) found.push(command)
    }
    return ''
  })
  for (const [, span] of prose.matchAll(/`([^`\n]+)`/g))
    if (/^servefit [a-z-]+ \S/.test(span!) && !/\b[A-Z]{2,}\b|[|<>]|\.\.\./.test(span!.replace(/'[^']*'/g, ''))) found.push(span!)
  return [...new Set(found)]
}
