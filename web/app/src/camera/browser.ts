import type { Quality } from '@pesebre/contract/relay'
import { createViewer, type Socket, type SocketEvents, type Viewer, type ViewerStatus } from './viewer.ts'

/** A page that is hidden for so long watches no more: somebody may only look at a message, milliseconds. */
const HIDDEN_MS = 5_000

export type Watching = { quality(quality: Quality): void; stop(): void }

/**
 * Shows a horse's camera on a canvas, whose size becomes the picture's. Pauses while the page is hidden, or the canvas is out of
 * sight. `stop` when the canvas leaves the page.
 */
export function watchCamera(
  canvas: HTMLCanvasElement,
  o: { horse: string; quality: Quality; onStatus: (status: ViewerStatus) => void },
): Watching {
  const context = canvas.getContext('2d', { alpha: false })
  const viewer = createViewer<ImageBitmap>({
    ...o,
    ports: {
      open: openSocket,
      decode: (jpeg) => createImageBitmap(new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' })),
      draw(bitmap) {
        if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
          canvas.width = bitmap.width
          canvas.height = bitmap.height
        }
        context?.drawImage(bitmap, 0, 0)
        // Not left to the garbage collector: it does not see how large the pictures are.
        bitmap.close()
      },
      now: () => performance.timeOrigin + performance.now(),
      after(ms, then) {
        const timer = setTimeout(then, ms)
        return () => clearTimeout(timer)
      },
      random: Math.random,
    },
  })
  const forget = pauseUnseen(canvas, viewer)
  return {
    quality: viewer.quality,
    stop() {
      forget()
      viewer.stop()
    },
  }
}

/** @returns what ends it */
function pauseUnseen(canvas: HTMLCanvasElement, viewer: Viewer): () => void {
  let isInSight = true
  let timer: ReturnType<typeof setTimeout> | undefined
  const judge = () => {
    clearTimeout(timer)
    if (isInSight && document.visibilityState === 'visible') viewer.resume()
    else timer = setTimeout(viewer.pause, HIDDEN_MS)
  }
  const sight = new IntersectionObserver((entries) => {
    isInSight = entries.at(-1)?.isIntersecting ?? true
    judge()
  })
  sight.observe(canvas)
  document.addEventListener('visibilitychange', judge)
  return () => {
    clearTimeout(timer)
    sight.disconnect()
    document.removeEventListener('visibilitychange', judge)
  }
}

function openSocket(path: string, on: SocketEvents): Socket {
  const socket = new WebSocket(new URL(path, location.href.replace(/^http/, 'ws')))
  socket.binaryType = 'arraybuffer'
  socket.onopen = on.onOpen
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === 'string') on.onText(data)
    else on.onPicture(new Uint8Array(data))
  }
  socket.onclose = ({ code }) => on.onClose(code)
  return {
    send(text) {
      // Between the last picture and the close event nobody listens any more.
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
}
