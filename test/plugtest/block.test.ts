/** TD_COAP_BLOCK_01 to 06 of the ETSI CoAP#4 plugtest. */
import { type Block, blockOf, blockSize } from '@pesebre/coap/codec/block'
import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { OPTION } from '@pesebre/coap/codec/options'
import t, { type Test } from 'tap'
import { lines } from './resources/block.ts'
import { answers, requests, type Scene, td, text, textsIn, uintIn, type Wire } from './stage.ts'

const LARGE = lines(27, 'large')
/** 1,664 bytes: not a multiple of 128 or more. */
const BODY = lines(26, 'request')

function blockIn(message: Wire, number: number): Block | undefined {
  const value = uintIn(message, number)
  return value === undefined ? undefined : blockOf(value)
}

/** Each request with the answer that it got. */
function exchanges(wire: readonly Wire[]): { request: Wire; answer: Wire }[] {
  return requests(wire).map((request) => {
    const answer = answers(wire, request).find(
      ({ messageId, type }) => messageId === request.messageId || type !== 2,
    )
    if (answer === undefined) throw new Error('Failed to find the answer to a block')
    return { request, answer }
  })
}

/** The blocks of an answer join without gaps, all but the last are full, and all but the last say that more follow. */
function checkDownload(t: Test, wire: readonly Wire[], { body, szx, code }: Expected): void {
  let length = 0
  const all = exchanges(wire).filter(({ answer }) => blockIn(answer, OPTION.BLOCK2) !== undefined)
  for (const [at, { request, answer }] of all.entries()) {
    const block = blockIn(answer, OPTION.BLOCK2)!
    const asked = blockIn(request, OPTION.BLOCK2)
    const size = blockSize(block.szx)
    if (asked !== undefined) {
      t.equal(asked.more, false)
      t.ok(block.szx <= asked.szx, 'no larger than asked for')
      t.equal(block.num * size, asked.num * blockSize(asked.szx), 'the block that was asked for')
    }
    t.equal(block.szx, szx)
    t.equal(answer.code, code)
    t.equal(block.num * size, length, 'no gap')
    t.equal(block.more, at < all.length - 1)
    if (block.more) t.equal(answer.payload.length, size, 'a full block')
    else t.ok(answer.payload.length <= size)
    length += answer.payload.length
  }
  t.ok(all.length > 1)
  t.equal(length, body.length)
}
type Expected = { body: string; szx: number; code: number }

/** The same for a body on its way up: 2.31 for all but the last, which has `code`. */
function checkUpload(t: Test, wire: readonly Wire[], { body, szx, code }: Expected): Wire {
  let length = 0
  const all = exchanges(wire).filter(({ request }) => blockIn(request, OPTION.BLOCK1) !== undefined)
  for (const [at, { request, answer }] of all.entries()) {
    const block = blockIn(request, OPTION.BLOCK1)!
    const echo = blockIn(answer, OPTION.BLOCK1)!
    t.equal(block.num * blockSize(block.szx), length)
    t.equal(block.more, at < all.length - 1)
    t.equal(echo.num, block.num)
    t.equal(echo.more, block.more)
    t.equal(echo.szx, szx)
    t.equal(answer.code, block.more ? CODE.CONTINUE : code)
    length += request.payload.length
  }
  t.ok(all.length > 1)
  t.equal(length, body.length)
  return all.at(-1)!.answer
}

for (const [id, blockSize, szx] of [
  ['TD_COAP_BLOCK_01: GET, early negotiation', 64, 2],
  ['TD_COAP_BLOCK_01: GET, early negotiation, 512 bytes', 512, 5],
  ['TD_COAP_BLOCK_06: GET, early negotiation, 16 bytes', 16, 0],
] as const) {
  td(id, {}, async (t, scene) => {
    const shown = await scene.ask({ path: 'large', blockSize })
    t.same(blockIn(requests(scene.wire())[0]!, OPTION.BLOCK2), { num: 0, more: false, szx })
    checkDownload(t, scene.wire(), { body: LARGE, szx, code: CODE.CONTENT })
    t.equal(text(shown), LARGE)
  })
}

for (const [blockSizeMax, szx] of [
  [1_024, 6],
  [64, 2],
] as const) {
  const server = { settings: { blockSizeMax } }
  td(`TD_COAP_BLOCK_02: GET, late negotiation, ${blockSizeMax} bytes`, { server }, async (t, scene) => {
    const shown = await scene.ask({ path: 'large' })
    t.equal(blockIn(requests(scene.wire())[0]!, OPTION.BLOCK2), undefined)
    checkDownload(t, scene.wire(), { body: LARGE, szx, code: CODE.CONTENT })
    t.equal(text(shown), LARGE)
  })
}

td(
  'TD_COAP_BLOCK_01: the server has smaller blocks than those asked for',
  { server: { settings: { blockSizeMax: 128 } } },
  async (t, scene) => {
    const shown = await scene.ask({ path: 'large', blockSize: 512 })
    checkDownload(t, scene.wire(), { body: LARGE, szx: 3, code: CODE.CONTENT })
    t.equal(text(shown), LARGE)
  },
)

const UPLOAD = { contentFormat: CONTENT_FORMAT.TEXT, payload: BODY } as const

for (const [blockSize, szx] of [
  [64, 2],
  [512, 5],
] as const) {
  td(`TD_COAP_BLOCK_03: PUT, ${blockSize} bytes`, {}, async (t, scene) => {
    await scene.ask({ method: 'put', path: 'large-update', ...UPLOAD, blockSize })
    checkUpload(t, scene.wire(), { body: BODY, szx, code: CODE.CHANGED })
    t.equal(text(await scene.ask({ path: 'large-update' })), BODY, 'the server has all of it')
  })
}

td(
  'TD_COAP_BLOCK_03: the server has smaller blocks, and the client goes on behind the first one',
  { server: { settings: { blockSizeMax: 128 } } },
  async (t, scene) => {
    await scene.ask({ method: 'put', path: 'large-update', ...UPLOAD, blockSize: 512 })
    checkUpload(t, scene.wire(), { body: BODY, szx: 3, code: CODE.CHANGED })
    t.equal(text(await scene.ask({ path: 'large-update' })), BODY)
  },
)

td('TD_COAP_BLOCK_04: POST that creates', {}, async (t, scene) => {
  await scene.ask({ method: 'post', path: 'large-create', ...UPLOAD, blockSize: 64 })
  const created = checkUpload(t, scene.wire(), { body: BODY, szx: 2, code: CODE.CREATED })
  const location = textsIn(created, OPTION.LOCATION_PATH)
  t.equal(location[0], 'large-create')
  t.equal(location.length, 2)
  t.equal(text(await scene.ask({ path: location.join('/') })), BODY, 'it is where the answer says')
})

td('TD_COAP_BLOCK_05: POST with blocks both ways', {}, async (t, scene) => {
  const shown = await scene.ask({ method: 'post', path: 'large-post', ...UPLOAD, blockSize: 256 })
  const last = checkUpload(t, scene.wire(), { body: BODY, szx: 4, code: CODE.CHANGED })
  const { szx } = blockIn(last, OPTION.BLOCK2)!
  checkDownload(t, scene.wire(), { body: BODY, szx, code: CODE.CHANGED })
  t.equal(text(shown), BODY.toUpperCase())
})

td('a body of a whole number of blocks', {}, async (t, scene) => {
  const body = lines(4, 'exact')
  await scene.ask({ method: 'put', path: 'large-update', contentFormat: 0, payload: body, blockSize: 64 })
  checkUpload(t, scene.wire(), { body, szx: 2, code: CODE.CHANGED })
  await checkWhole(t, scene, body)
})

async function checkWhole(t: Test, scene: Scene, body: string): Promise<void> {
  t.equal(text(await scene.ask({ path: 'large-update', blockSize: 64 })), body)
}

t.end()
