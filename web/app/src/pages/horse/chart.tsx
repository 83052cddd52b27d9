/** A line chart (uPlot): the mean as a line, lowest to highest as a band, times without reports shaded. */
import type { History } from '@pesebre/contract/api/history'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { theme } from '../../data/theme.ts'
import { number, when } from '../../words/format.ts'
import { language } from '../../words/language.ts'
import { FIELDS, type FieldName, lonely } from './series.ts'
import './chart.css'

const HEIGHT = 320

export function Chart({
  history,
  field,
  zone,
  label,
}: {
  history: History
  field: FieldName
  zone: string
  label: string
}) {
  const box = useRef<HTMLDivElement>(null)
  const spoken = language.value
  const look = theme.value
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const draw = () =>
      new uPlot(optionsOf(element, { history, field, zone }), columns(history, field), element)
    let plot = draw()
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => {
      plot.destroy()
      plot = draw()
    }
    dark.addEventListener('change', redraw)
    return () => {
      dark.removeEventListener('change', redraw)
      resized.disconnect()
      plot.destroy()
    }
  }, [history, field, zone, spoken, look])
  return <div ref={box} class="chart" role="img" aria-label={label} style={{ blockSize: `${HEIGHT}px` }} />
}

function columns({ points }: History, field: FieldName): uPlot.AlignedData {
  const { scale } = FIELDS[field]
  const scaled = (values: (number | null)[]) => values.map((value) => (value === null ? null : value * scale))
  return [points.at.map((at) => at / 1000), scaled(points.avg), scaled(points.min), scaled(points.max)]
}

function optionsOf(
  element: HTMLElement,
  { history, field, zone }: { history: History; field: FieldName; zone: string },
): uPlot.Options {
  const { unit, digits, floor, ceiling } = FIELDS[field]
  const spoken = language.value
  const colour = (name: string) => resolved(element, name)
  const ink = colour('--ink-soft')
  const grid = { stroke: colour('--line'), width: 1 }
  const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: '12px Figtree, system-ui' }
  const value = (_: uPlot, raw: number | null) =>
    raw === null ? '–' : `${number(spoken, raw, digits)} ${unit}`
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    padding: [12, 20, 0, 0],
    cursor: { y: false, points: { size: 7 } },
    legend: { show: false },
    scales: {
      x: { min: history.from / 1000, max: history.to / 1000 },
      y: {
        range: (_plot, min, max) => {
          const pad = Math.max((max - min) * 0.1, 10 ** -digits)
          return [floor ?? min - pad, ceiling ?? max + pad]
        },
      },
    },
    axes: [
      { ...axis, values: (_plot, splits) => labels(splits, { span: history.to - history.from, zone }) },
      {
        ...axis,
        size: 60,
        values: (_plot, splits) => splits.map((split) => `${number(spoken, split, digits)} ${unit}`),
      },
    ],
    series: [
      {},
      {
        stroke: colour('--accent'),
        width: 2,
        spanGaps: false,
        // A point between two gaps has no line to be seen by.
        points: {
          show: true,
          size: 6,
          fill: colour('--accent'),
          filter: (plot) => lonely(plot.data[1] ?? []),
        },
        value,
      },
      { stroke: 'transparent', points: { show: false }, spanGaps: false },
      { stroke: 'transparent', points: { show: false }, spanGaps: false },
    ],
    bands: [{ series: [3, 2], fill: withAlpha(colour('--accent'), 0.16) }],
    hooks: {
      drawClear: [(plot) => shade(plot, history, colour('--sunken'))],
      setCursor: [(plot) => tell(plot, { zone, say: (raw) => value(plot, raw) })],
    },
  }
}

/** The time on the axis: of day for a day, dates for more. */
function labels(splits: number[], { span, zone }: { span: number; zone: string }): string[] {
  const spoken = language.value === 'es' ? 'es-ES' : 'en-GB'
  const isDay = span <= 2 * 86_400_000
  const format = new Intl.DateTimeFormat(spoken, {
    timeZone: zone,
    ...(isDay
      ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
      : span > 100 * 86_400_000
        ? { month: 'short' }
        : { day: 'numeric', month: 'short' }),
  })
  return splits.map((split) => format.format(split * 1000))
}

/** Times without any report: shaded from top to bottom, so that nobody takes them for zero. */
function shade(plot: uPlot, { gaps }: History, colour: string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.fillStyle = colour
  for (const [from, to] of gaps) {
    const left = Math.max(bbox.left, plot.valToPos(from / 1000, 'x', true))
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1000, 'x', true))
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
  }
  ctx.restore()
}

/** What is under the pointer, in a small box beside it. */
function tell(plot: uPlot, { zone, say }: { zone: string; say: (raw: number | null) => string }): void {
  const { idx, left = -1 } = plot.cursor
  const over = plot.over
  const tip = over.querySelector<HTMLElement>('.chart-tip') ?? over.appendChild(document.createElement('div'))
  tip.className = 'chart-tip'
  const at = idx == null ? undefined : plot.data[0][idx]
  tip.hidden = left < 0 || at === undefined
  if (at === undefined || idx == null) return
  tip.textContent = `${when(language.value, at * 1000, { zone, now: Date.now() })} · ${say(plot.data[1]?.[idx] ?? null)}`
  const isRight = left > over.clientWidth / 2
  tip.style.left = isRight ? 'auto' : `${left + 12}px`
  tip.style.right = isRight ? `${over.clientWidth - left + 12}px` : 'auto'
}

/** A colour of the tokens as the canvas takes it: it knows neither variables nor `light-dark`. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function withAlpha(colour: string, alpha: number): string {
  return colour.replace(/^rgb\(([^)]*)\)$/, (_, parts: string) => `rgba(${parts}, ${alpha})`)
}
