import type {MemoryPart} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import {gib} from '../../render/numbers.ts'
import type {CheckDocument} from '../documents/index.ts'

const PARTS: readonly {part: MemoryPart; label: string}[] = [
  {part: 'weights', label: 'weights'},
  {part: 'kv-cache', label: 'KV cache'},
  {part: 'state', label: 'states'},
  {part: 'activation', label: 'activations'},
  {part: 'cuda-graph', label: 'graphs'},
  {part: 'runtime', label: 'runtime'},
  {part: 'margin', label: 'margin'},
]

const KINDS = {exact: 'follows from published figures', derived: 'by a stated rule', measured: 'fitted to logs', assumed: 'a default'}

/** The memory of the fullest GPU: a bar by part, and below it each term with its rule. */
export function Memory({memory, open = false}: {memory: CheckDocument['memory']; open?: boolean}) {
  const {totalBytes, terms, perWhat} = memory
  const parts = PARTS.map(({part, label}) => ({part, label, own: terms.filter((term) => term.part === part)})).filter(
    ({own}) => own.length > 0 && own.some(({bytes}) => bytes !== 0),
  )
  const used = sumBytes(terms)
  const scale = Math.max(totalBytes, used, 1)
  let from = 0
  const bars = parts.map(({part, own}) => {
    const bytes = Math.max(0, sumBytes(own))
    const bar = {part, x: (from / scale) * 1000, width: (bytes / scale) * 1000}
    from += bytes
    return bar
  })
  const words =
    used > totalBytes
      ? `${gib(used)} GiB needed of ${gib(totalBytes)}: ${gib(used - totalBytes)} GiB too much`
      : `${gib(used)} of ${gib(totalBytes)} GiB used, ${gib(totalBytes - used)} GiB left`
  return (
    <section class="card" aria-labelledby="memory-title">
      <h2 id="memory-title">
        Memory per {perWhat} <span class="aside">{words}</span>
      </h2>
      <svg
        class="memory"
        viewBox="0 0 1000 36"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${words}: ${parts.map(({label, own}) => `${label} ${gib(sumBytes(own))}`).join(', ')}`}
      >
        <rect class="room" x={0} y={0} width={1000} height={36} />
        {bars.map(({part, x, width}) => (
          <rect key={part} class={`part part-${part}`} x={x.toFixed(2)} y={0} width={Math.max(0, width).toFixed(2)} height={36} />
        ))}
        {used > totalBytes && (
          <>
            <rect class="over" x={((totalBytes / scale) * 1000).toFixed(2)} y={0} width={(1000 - (totalBytes / scale) * 1000).toFixed(2)} height={36} />
            <rect class="limit" x={((totalBytes / scale) * 1000 - 3).toFixed(2)} y={0} width={6} height={36} />
          </>
        )}
      </svg>
      <ul class="parts">
        {parts.map(({part, label, own}) => (
          <li key={part}>
            <details open={open}>
              <summary>
                <span class={`swatch part-${part}`} aria-hidden="true" />
                {label} <b>{gib(sumBytes(own))} GiB</b>
              </summary>
              <dl>
                {own.map(({name, bytes, because, kind}) => (
                  <div key={name}>
                    <dt>
                      {name} <b>{bytesInWords(bytes)}</b> <span class="aside">{KINDS[kind]}</span>
                    </dt>
                    <dd>{because}</dd>
                  </div>
                ))}
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </section>
  )
}
