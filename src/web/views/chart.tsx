import type {ComponentChildren} from 'preact'
import {powersOfTwo, ticksTo} from './scale.ts'

export interface ChartPoint {
  x: number
  y: number
  /** Ends of an interval: a band is drawn between them. */
  low?: number
  high?: number
  /** Said of this point. */
  label?: string
}

export interface Series {
  name: string
  points: readonly ChartPoint[]
  /** Which of the colours: 1 to 3. */
  colour: 1 | 2 | 3
  line?: boolean
  dots?: boolean
}

export interface ChartProps {
  title: string
  /** What a reader who does not see it is told. */
  description: string
  xTitle: string
  yTitle: string
  series: readonly Series[]
  /** Loads double; speeds do not. */
  doubling?: boolean
  /** A place on the horizontal axis that is pointed out. */
  mark?: {x: number; label: string}
  words(value: number): string
  /** Of the horizontal axis, where it counts something else. */
  xWords?(value: number): string
  height?: number
  /** Lines above the chart where nothing around it says what it is of, and then the names of the series too. */
  heading?: readonly string[]
}

const WIDTH = 460
const LEFT = 62
const RIGHT = 14
const TOP = 14
const BOTTOM = 40
const HEADING_TOP = 6
const HEADING_LINE = 17
const LEGEND_LINE = 26
const LEGEND_GAP = 34
const LETTER_WIDTH = 6.5
/** A chart that is a file of its own is drawn so much larger than its letters need. */
const STANDING_SCALE = 1.6

/** A line chart as SVG: drawn the same in a page, in a report and into a file, without a browser to measure text. */
export function Chart({title, description, xTitle, yTitle, series, doubling = false, mark, words, xWords = words, height = 230, heading = []}: ChartProps) {
  const all = series.flatMap(({points}) => points)
  if (all.length === 0) return null
  const top = Math.max(...all.map(({y, high}) => high ?? y))
  const [least, most] = [Math.min(...all.map(({x}) => x)), Math.max(...all.map(({x}) => x))]
  const yTicks = ticksTo(top)
  const xTicks = doubling ? powersOfTwo(least, most) : ticksTo(most)
  const yEnd = Math.max(yTicks.at(-1)!, top * 1.02)
  const [xStart, xEnd] = doubling ? [Math.log2(xTicks[0]!), Math.max(Math.log2(most), Math.log2(xTicks[0]!) + 1)] : [0, Math.max(xTicks.at(-1)!, most)]
  const place = (value: number) => LEFT + (((doubling ? Math.log2(value) : value) - xStart) / (xEnd - xStart)) * (WIDTH - LEFT - RIGHT)
  const level = (value: number) => height - BOTTOM - (value / yEnd) * (height - TOP - BOTTOM)
  const at = (x: number, y: number) => `${place(x).toFixed(1)},${level(y).toFixed(1)}`
  const above = heading.length === 0 ? 0 : HEADING_TOP + heading.length * HEADING_LINE + LEGEND_LINE
  const size = heading.length === 0 ? {} : {width: WIDTH * STANDING_SCALE, height: (height + above) * STANDING_SCALE}
  return (
    <svg
      class="chart"
      viewBox={`0 ${-above} ${WIDTH} ${height + above}`}
      {...size}
      role="img"
      aria-label={`${title}. ${description}`}
      xmlns="http://www.w3.org/2000/svg"
    >
      {heading.map((line, index) => (
        <text key={line} class={index === 0 ? 'axis heading' : undefined} x={12} y={HEADING_TOP + (index + 1) * HEADING_LINE - above}>
          {line}
        </text>
      ))}
      {heading.length > 0 && <Legend series={series} y={-LEGEND_LINE / 2} />}
      <g class="grid">
        {yTicks.map((tick) => (
          <Tick key={tick} x1={LEFT} x2={WIDTH - RIGHT} y1={level(tick)} y2={level(tick)}>
            <text x={LEFT - 6} y={level(tick) + 4} text-anchor="end">
              {xWords(tick)}
            </text>
          </Tick>
        ))}
        {xTicks
          .filter((tick) => place(tick) <= WIDTH - RIGHT + 1)
          .map((tick) => (
            <text key={tick} x={place(tick)} y={height - BOTTOM + 16} text-anchor="middle">
              {words(tick)}
            </text>
          ))}
      </g>
      <text class="axis" x={(LEFT + WIDTH - RIGHT) / 2} y={height - 6} text-anchor="middle">
        {xTitle}
      </text>
      <text class="axis" x={12} y={TOP + (height - TOP - BOTTOM) / 2} text-anchor="middle" transform={`rotate(-90 12 ${TOP + (height - TOP - BOTTOM) / 2})`}>
        {yTitle}
      </text>
      {mark && mark.x >= least && mark.x <= most && (
        <g class="mark">
          <line x1={place(mark.x)} x2={place(mark.x)} y1={TOP} y2={height - BOTTOM} />
          <text x={place(mark.x) + (place(mark.x) > WIDTH / 2 ? -5 : 5)} y={TOP + 10} text-anchor={place(mark.x) > WIDTH / 2 ? 'end' : 'start'}>
            {mark.label}
          </text>
        </g>
      )}
      {series.map(({name, points, colour, line, dots}) => (
        <g key={name} class={`series series-${colour}`}>
          {points.some(({low}) => low !== undefined) && points.length > 1 && (
            <polygon
              class="band"
              points={[...points.map(({x, y, high}) => at(x, high ?? y)), ...[...points].reverse().map(({x, y, low}) => at(x, low ?? y))].join(' ')}
            />
          )}
          {line && points.length > 1 && <polyline class="line" points={points.map(({x, y}) => at(x, y)).join(' ')} />}
          {(dots || points.length === 1) &&
            points.map(({x, y, label}, index) => (
              <circle key={String(index)} cx={place(x).toFixed(1)} cy={level(y).toFixed(1)} r={4}>
                {label !== undefined && <title>{label}</title>}
              </circle>
            ))}
        </g>
      ))}
    </svg>
  )
}

/** The names of the series, one after another; letters are taken to be this wide. */
function Legend({series, y}: {series: readonly Series[]; y: number}) {
  let x = LEFT
  return (
    <g>
      {series.map(({name, colour, line}) => {
        const from = x
        x += LEGEND_GAP + name.length * LETTER_WIDTH
        return (
          <g key={name} class={`series series-${colour}`}>
            {line && <line class="line" x1={from} x2={from + 14} y1={y} y2={y} />}
            <circle cx={from + 7} cy={y} r={4} />
            <text x={from + 20} y={y + 4}>
              {name}
            </text>
          </g>
        )
      })}
    </g>
  )
}

function Tick({x1, x2, y1, y2, children}: {x1: number; x2: number; y1: number; y2: number; children: ComponentChildren}) {
  return (
    <g>
      <line x1={x1} x2={x2} y1={y1} y2={y2} />
      {children}
    </g>
  )
}
