import {renderToString} from 'preact-render-to-string'
import {linesWithoutActing} from '../../core/acting-characters.ts'
import type {ReportDocument} from '../documents/index.ts'
import {CHART_STYLES, STYLES, THEME_STYLES} from '../styles.ts'
import {dataVersionOf, type PlanDocument} from '../documents/index.ts'
import {AnswerView, Code, FrontChart, StartView} from '../views/index.tsx'

/** A report asks nothing of anybody: no script, no request. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** An answer as one file that needs nothing else: what the page shows, without what can be pressed. */
export function htmlReport(document: ReportDocument, {version}: {version: string}): string {
  const start = document.kind === 'check' ? document.start : undefined
  const dataVersion = dataVersionOf(document)
  const body = renderToString(
    <main class="report">
      <header>
        {/* Seen where the answer below does not begin with it. */}
        <h1 class={document.kind === 'capacity' ? undefined : 'unseen'}>{document.title}</h1>
      </header>
      <AnswerView document={document} whole />
      {start && <StartView start={start} />}
      <section class="card">
        <h2>How it was asked</h2>
        <Code text={document.command} label="the command that asks the same" wraps />
        <p class="aside">
          servefit {version}
          {dataVersion === undefined ? '' : `, data ${dataVersion}`}. Intervals hold about four measurements in five.
        </p>
      </section>
    </main>,
  )
  const title = renderToString(<title>{document.title}</title>)
  return shown(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
${title}
<style>${STYLES}</style>
</head>
<body>
${body}
</body>
</html>
`)
}

/** A title in lines that the picture is wide enough for: the machine, and the load below it. */
const headingOf = (title: string): string[] => title.split(/, (?=prompts of )/)
/** Nothing in names from elsewhere turns the text around them, or acts on the terminal of who looks at the file there. */
const shown = (markup: string): string => linesWithoutActing(markup, () => '?')

/** The front of a plan as a picture of its own; undefined where there is none. */
export function frontSvg(document: PlanDocument): string | undefined {
  if (document.report.front.length === 0) return undefined
  const drawn = renderToString(<FrontChart document={document} heading={headingOf(document.title)} />)
  const style = `<style>${THEME_STYLES.replaceAll(':root', 'svg')}${CHART_STYLES.replace(/\.chart \{[^}]*\}/, '.chart { font: 12px system-ui, sans-serif; background: var(--card); }')}</style>`
  return shown(`<?xml version="1.0" encoding="UTF-8"?>\n${drawn.replace(/>/, `>${style}`)}\n`)
}
