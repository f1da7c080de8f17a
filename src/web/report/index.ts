/** Answers to hand on. Loaded only where one is asked for. */
import {saveFile} from '../../cli/save-file.ts'
import {InputError} from '../../core/input-error.ts'
import {harmless} from '../../render/style.ts'
import type {ReportDocument} from '../documents/index.ts'
import {frontSvg, htmlReport} from './html.tsx'
import {markdownReport} from './markdown.ts'

export {capacityDocument, checkDocument, compareDocument, compareTitle, planDocument, planTitle} from '../documents/index.ts'

interface Wanted {
  html?: string
  markdown?: boolean
  svg?: string
  force?: boolean
}

/** Writes the files that were asked for, and prints Markdown; returns the paths. @throws InputError FILE_EXISTS, FILE_UNWRITABLE, FRONT_EMPTY. */
export async function handOn(document: ReportDocument, {html, markdown, svg, force}: Wanted, version: string): Promise<string[]> {
  const written: string[] = []
  const save = async (path: string, text: string) => {
    await saveFile(path, text, {force})
    written.push(path)
  }
  if (html !== undefined) await save(html, htmlReport(document, {version}))
  if (svg !== undefined && document.kind === 'plan') {
    const drawn = frontSvg(document)
    if (drawn === undefined) throw new InputError('FRONT_EMPTY', 'There is no point to draw: no plan starts, or none keeps the limits')
    await save(svg, drawn)
  }
  if (markdown) process.stdout.write(markdownReport(document, {version}))
  process.stderr.write(written.map((path) => `wrote ${harmless(path)}\n`).join(''))
  return written
}
