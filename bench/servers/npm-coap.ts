// npm `coap` as its documentation starts it, answering 2.04 and keeping nothing. Argument: the port.
import { createServer } from 'coap'

createServer((_request, response) => {
  response.code = '2.04'
  response.end()
}).listen(Number(process.argv[2]), '127.0.0.1')
