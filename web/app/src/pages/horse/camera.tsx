/** The camera: the last picture first, live when asked for, and never an old picture that passes for live (research F15). */
import type { Quality } from '@pesebre/contract/relay'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Watching, watchCamera } from '../../camera/browser.ts'
import type { ViewerStatus } from '../../camera/viewer.ts'
import { now } from '../../data/clock.ts'
import { Button, Choice } from '../../ui/controls.tsx'
import { Card, Empty, Note } from '../../ui/surfaces.tsx'
import { ago, number, span } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { FeedPanel } from './feed-panel.tsx'
import type { SectionProps } from './horse.tsx'
import { useSnapshot } from './snapshot.tsx'
import './camera.css'

/** A camera that has not answered for so many attempts is said to be gone. */
const FAILURES_MAX = 2

export function CameraSection(props: SectionProps) {
  const { horse } = props
  const w = words.value
  const [isLive, setLive] = useState(false)
  const [quality, setQuality] = useState<Quality>('auto')
  if (horse.camera === null)
    return (
      <Card>
        <Empty icon="camera" title={w.camera.none}>
          {w.camera.noneHelp}
        </Empty>
      </Card>
    )
  return (
    <div class="columns camera-columns">
      <Card class="camera">
        {isLive ? <Live horse={horse} quality={quality} /> : <Last horse={horse} />}
        <div class="row spread">
          <Button look="primary" icon={isLive ? 'stop' : 'play'} onClick={() => setLive(!isLive)}>
            {isLive ? w.camera.stop : w.camera.watch}
          </Button>
          <div class="camera-quality">
            <Choice<Quality>
              label={w.camera.quality}
              value={quality}
              options={[
                { value: 'auto', label: w.camera.auto },
                { value: 'low', label: w.camera.low },
                { value: 'high', label: w.camera.high },
              ]}
              onPick={setQuality}
            />
          </div>
        </div>
        <p class="soft small">{w.camera.lowHelp}</p>
      </Card>
      {horse.feeder !== null && <FeedPanel {...props} />}
    </div>
  )
}

/** The picture that the server has, with its age. */
function Last({ horse }: { horse: SectionProps['horse'] }) {
  const w = words.value
  const { taken, isBusy } = useSnapshot(horse.id, 300)
  return (
    <div class="screen">
      {taken ? (
        <>
          <img src={taken.url} alt={w.camera.alt(horse.name)} />
          <span class="screen-tag">
            {w.camera.taken(ago(language.value, w, { at: taken.at, now: now.value }))}
          </span>
        </>
      ) : (
        <p>{isBusy ? w.camera.connecting : w.camera.noPicture}</p>
      )}
    </div>
  )
}

function Live({ horse, quality }: { horse: SectionProps['horse']; quality: Quality }) {
  const w = words.value
  const canvas = useRef<HTMLCanvasElement>(null)
  const watching = useRef<Watching>(undefined)
  const chosen = useRef(quality)
  const [status, setStatus] = useState<ViewerStatus>()
  chosen.current = quality
  useEffect(() => {
    if (canvas.current === null) return
    const begun = watchCamera(canvas.current, {
      horse: horse.id,
      quality: chosen.current,
      onStatus: setStatus,
    })
    watching.current = begun
    return () => begun.stop()
  }, [horse.id])
  useEffect(() => watching.current?.quality(quality), [quality])
  const age = status?.ageMs
  const isOld = age !== undefined && status?.isStale === true
  return (
    <div class="stack tight">
      <div class={`screen ${isOld ? 'is-old' : ''}`}>
        <canvas ref={canvas} width={640} height={480} role="img" aria-label={w.camera.alt(horse.name)} />
        {age === undefined && <p class="screen-wait">{sayWaiting(status)}</p>}
        {age !== undefined && (
          <span class="screen-tag">{w.camera.age(`${number(language.value, age / 1000, 1)} s`)}</span>
        )}
      </div>
      <div role="status">
        {isOld && (
          <Note tone="warn" title={w.camera.stale(span(w, age))}>
            {sayWaiting(status)}
          </Note>
        )}
      </div>
      {status && (
        <dl class="camera-facts small soft">
          <dt class="visually-hidden">{w.camera.details}</dt>
          <dd>{w.camera.fps(number(language.value, status.fps, 1))}</dd>
          <dd>{number(language.value, status.kbps)} kbit/s</dd>
          {age !== undefined && canvas.current && (
            <dd>
              {canvas.current.width} × {canvas.current.height}
            </dd>
          )}
        </dl>
      )}
    </div>
  )
}

/** Why there is no live picture at this moment. */
function sayWaiting(status: ViewerStatus | undefined): string {
  const { camera } = words.value
  if (status === undefined) return camera.connecting
  if (status.connection === 'refused') return words.value.problem.forbidden
  if (status.camera === 'silent') return camera.gone
  if (status.connection === 'waiting') return status.failures >= FAILURES_MAX ? camera.gone : camera.lost
  return camera.connecting
}
