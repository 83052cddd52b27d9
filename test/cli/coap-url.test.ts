import t from 'tap'
import { parseCoapUrl } from '../../cli/src/coap-url.ts'

const where = (text: string) => {
  try {
    const { host, port, path, query } = parseCoapUrl(text, 15683)
    return { host, port, path, query }
  } catch (error) {
    return (error as Error).message
  }
}

t.test('parseCoapUrl() takes a URL apart as RFC 7252 section 6.4 says', async (t) => {
  const cases: [string, object][] = [
    [
      'coap://127.0.0.1/feeder/bella',
      { host: '127.0.0.1', port: 5683, path: ['feeder', 'bella'], query: [] },
    ],
    ['coap://host:61616/', { host: 'host', port: 61616, path: [], query: [] }],
    ['coap://host', { host: 'host', port: 5683, path: [], query: [] }],
    ['COAP://[2001:db8::7]:1/a', { host: '2001:db8::7', port: 1, path: ['a'], query: [] }],
    ['coap://h/a%2Fb/%C3%BC?x=1&y=%26', { host: 'h', port: 5683, path: ['a/b', 'ü'], query: ['x=1', 'y=&'] }],
    ['coap://h/a/', { host: 'h', port: 5683, path: ['a', ''], query: [] }],
    ['/health?rt=x', { host: '127.0.0.1', port: 15683, path: ['health'], query: ['rt=x'] }],
    ['/', { host: '127.0.0.1', port: 15683, path: [], query: [] }],
  ]
  for (const [text, expected] of cases) t.strictSame(where(text), expected, text)
})

t.test('parseCoapUrl() says what is wrong with a URL', async (t) => {
  const long = 'x'.repeat(256)
  const cases: [string, string][] = [
    ['coaps://h/x', 'Only coap:// is spoken here, not DTLS or TCP: "coaps://h/x"'],
    ['http://h/x', 'Not a CoAP URL, as coap://host/path is, nor a path, as /path is: "http://h/x"'],
    ['h/x', 'Not a CoAP URL, as coap://host/path is, nor a path, as /path is: "h/x"'],
    ['coap://h:99999/', 'Not a CoAP URL, as coap://host/path is, nor a path, as /path is: "coap://h:99999/"'],
    ['coap://h/x#y', 'A CoAP URL has a host, and neither a user nor a fragment: "coap://h/x#y"'],
    ['coap://u@h/x', 'A CoAP URL has a host, and neither a user nor a fragment: "coap://u@h/x"'],
    ['/%zz', 'A percent sign in a URL begins two hex digits: "/%zz"'],
    [`/${long}`, `A part of a CoAP path or query has at most 255 bytes: "${long}"`],
  ]
  for (const [text, message] of cases) t.equal(where(text), message)
})
