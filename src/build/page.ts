import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {basename, join, sep} from 'node:path'
import {build, type BuildOptions, type Plugin} from 'esbuild'

/**
 * The page as static files: no modules and nothing to fetch, so that it opens from a file as it does from any host under any path. The planner is a
 * function whose text a worker is made from, since pages of files may not load workers; data are JSON texts, each parsed when it is asked for.
 */
export async function buildPage(root: string, data: string, folder: string): Promise<void> {
  await mkdir(folder, {recursive: true})
  const web = join(root, 'src', 'web')
  const [page, planner] = await Promise.all([scriptOf(join(web, 'page', 'main.tsx')), scriptOf(join(web, 'planner', 'thread.ts'))])
  await Promise.all([
    writeFile(join(folder, 'page.js'), page),
    writeFile(join(folder, 'planner.js'), `globalThis.servefitPlanner = function () {\n${planner}}\n`),
    writeData(data, folder),
    writeFile(join(folder, 'style.css'), await stylesOf(web)),
    writeFile(join(folder, 'index.html'), HTML),
  ])
}

/** What the page may do: run its own scripts and workers made from them. No request can leave it. */
const POLICY =
  "default-src 'none'; script-src 'self' blob:; worker-src blob:; style-src 'self'; img-src 'self' data:; connect-src 'none'; base-uri 'none'; form-action 'none'"

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="description" content="Does this open-weights model fit my machines, how fast will it be under my load, and what exactly do I start?">
<title>servefit</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='1' y='5' width='14' height='6' rx='1.5' fill='%230b57c2'/%3E%3Crect x='2.5' y='6.5' width='8' height='3' fill='%23fff'/%3E%3C/svg%3E">
<link rel="stylesheet" href="style.css">
<script defer src="data.js"></script>
<script defer src="planner.js"></script>
<script defer src="page.js"></script>
</head>
<body>
<div id="page"><p class="loading">Loading the planner and its data …</p><noscript><p>servefit reckons in the page and needs JavaScript; <code>servefit check</code> answers the same on a command line.</p></noscript></div>
</body>
</html>
`

/** The page reads no commands of engines, which takes their whole vocabulary. */
const withoutCommands: Plugin = {
  name: 'without-commands',
  setup(builder) {
    builder.onResolve({filter: /planner\/words\/index\.ts$/, namespace: 'file'}, () => ({path: 'words', namespace: 'left-out'}))
    builder.onLoad({filter: /.*/, namespace: 'left-out'}, () => ({contents: 'export {}'}))
  },
}

async function scriptOf(entry: string): Promise<string> {
  const {outputFiles} = await build({...OPTIONS, entryPoints: [entry], plugins: [withoutCommands]})
  return outputFiles![0]!.text
}

const OPTIONS: BuildOptions = {
  bundle: true,
  write: false,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  jsx: 'automatic',
  jsxImportSource: 'preact',
}

/** The styles are text in a module, which reports need as such. */
async function stylesOf(web: string): Promise<string> {
  const {outputFiles} = await build({entryPoints: [join(web, 'styles.ts')], bundle: true, write: false, format: 'esm', logLevel: 'error'})
  const {STYLES} = (await import(`data:text/javascript,${encodeURIComponent(outputFiles![0]!.text)}`)) as {STYLES: string}
  return STYLES
}

/** Files that no question of the page reads: each card also stands in the list of all; rows behind a statement on quality; lines of logs; what shells complete. */
const LEFT_OUT = /^(?:gpus\/|quality\/formats\/|log-lines\/|completion\.json$)/
/** A question is about one model, and about the first engine where it names none: the others come when they are asked for. */
const LATER = /^(?:models\/|engines\/(?!vllm)[^/]*-flags$)/
/** Files of models that come together: neighbours by name, which are kin. */
const MODELS_TOGETHER = 18

/** Compiled files as texts of JSON: those that every question reads in one script, models in scripts of their own. */
async function writeData(from: string, folder: string): Promise<void> {
  const names = (await readdir(from, {recursive: true}))
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.json') && !LEFT_OUT.test(name))
    .map((name) => name.slice(0, -'.json'.length))
    .sort()
  const later = names.filter((name) => LATER.test(name))
  const parts: [string, string][] = []
  const write = async (file: string, together: readonly string[]) => {
    parts.push([together[0]!, file])
    await writeFile(join(folder, file), `globalThis.servefitMore(${await textsOf(from, together)})\n`)
  }
  // In the order of the names, by which the page finds a part.
  for (const name of later.filter((one) => !one.startsWith('models/'))) await write(`${basename(name)}.js`, [name])
  const models = later.filter((one) => one.startsWith('models/'))
  for (let at = 0; at < models.length; at += MODELS_TOGETHER) await write(`models-${at / MODELS_TOGETHER}.js`, models.slice(at, at + MODELS_TOGETHER))
  const first = await textsOf(
    from,
    names.filter((name) => !LATER.test(name)),
  )
  await writeFile(join(folder, 'data.js'), `globalThis.servefitParts = ${JSON.stringify(parts)}\nglobalThis.servefitData = ${first}\n`)
}

/** An object of texts, as JavaScript. */
async function textsOf(folder: string, names: readonly string[]): Promise<string> {
  // Single quotes: JSON is full of double ones, which would have to be escaped.
  const quoted = (text: string) =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`
  const entries = await Promise.all(names.map(async (name) => [name, (await readFile(join(folder, `${name}.json`), 'utf8')).trim()] as const))
  return `{\n${entries.map(([name, text]) => `${quoted(name)}: ${quoted(text)}`).join(',\n')}\n}`
}
