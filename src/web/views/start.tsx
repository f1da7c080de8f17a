import type {ComponentChildren} from 'preact'
import type {StartDocument, StartFormat} from '../documents/index.ts'
import {Code} from './code.tsx'
import {Table} from './table.tsx'

interface StartProps {
  start: StartDocument
  /** The format that is shown; absent: all that can be written. */
  format?: string
  choose?(format: string): void
  copy?(text: string, name?: string): ComponentChildren
}

/** What to start, with the reason for each flag. */
export function StartView({start, format, choose, copy}: StartProps) {
  const shown = format === undefined ? start.formats.filter(({problem}) => problem === undefined) : start.formats.filter(({id}) => id === format)
  return (
    <section class="card" aria-labelledby="start-title">
      <h2 id="start-title">Start it</h2>
      {choose && (
        <fieldset class="tabs">
          <legend class="unseen">Format of the start file</legend>
          {start.formats.map(({id, summary, problem}) => (
            <label
              key={id}
              title={problem ?? summary}
              class={[id === format && 'chosen', problem !== undefined && 'not-here'].filter(Boolean).join(' ') || undefined}
            >
              <input type="radio" name="format" value={id} checked={id === format} onChange={() => choose(id)} />
              {id}
            </label>
          ))}
        </fieldset>
      )}
      {shown.map((one) =>
        format === undefined ? (
          <details key={one.id} open={one.id === 'command'}>
            <summary>
              {one.id} <span class="aside">{one.summary}</span>
            </summary>
            <Files format={one} copy={copy} />
          </details>
        ) : (
          <div key={one.id}>
            <p class="aside">{one.summary}</p>
            <Files format={one} copy={copy} />
          </div>
        ),
      )}
      <details>
        <summary>Why each flag is there</summary>
        {start.reasons.length === 0 ? (
          <p>No flag is needed: the engine's own defaults serve this best.</p>
        ) : (
          <Table
            caption="Flags and their reasons"
            rows={start.reasons}
            columns={[
              {title: 'Flag', cell: ([flag]) => <code>{flag}</code>},
              {title: 'Because', cell: ([, because]) => because},
            ]}
          />
        )}
      </details>
    </section>
  )
}

function Files({format: {files, problem, text}, copy}: {format: StartFormat; copy: StartProps['copy']}) {
  if (problem !== undefined) return <p class="reason">{problem}</p>
  return (
    <>
      {files.map(({name, text: own}) => (
        <figure key={name}>
          <figcaption>
            {name} {copy?.(own, name)}
          </figcaption>
          <Code text={own} label={name} />
        </figure>
      ))}
      {files.length > 1 && copy && <p>All of them, as a script that writes them: {copy(text)}</p>}
    </>
  )
}
