// https in front of servers of this machine, as a reverse proxy makes it (tests/e2e/src/https.rs), with a certificate that
// is made here and that nobody has signed but itself. Each line of standard input is `[command, argument]`, and each is
// answered by one line of JSON. It ends with its input.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { createInterface } from 'node:readline'

// DER (X.690), as far as a certificate of RFC 5280 needs it.
const der = (tag, ...parts) => {
  const body = Buffer.concat(parts.map(part => Buffer.from(part)))
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts) => der(0x30, ...parts)
const utcTime = days => {
  const text = new Date(Date.now() + days * 86_400_000).toISOString().replace(/\D/g, '')
  return der(0x17, Buffer.from(`${text.slice(2, 14)}Z`))
}
const COMMON_NAME = der(0x06, [0x55, 4, 3])
const SUBJECT_ALT_NAME = der(0x06, [0x55, 0x1d, 0x11])
const ECDSA_WITH_SHA256 = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))

/** For 127.0.0.1 and localhost, for a day before and after now. */
const certificate = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('127.0.0.1')))))
  const names = sequence(der(0x87, [127, 0, 0, 1]), der(0x82, Buffer.from('localhost')))
  const said = sequence(
    der(0xa0, der(0x02, [2])),
    // Positive, and never the same: Firefox refuses two of one issuer with the same number.
    der(0x02, [0x40], randomBytes(8)),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(-1), utcTime(1)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, der(0x04, names)))),
  )
  const whole = sequence(said, ECDSA_WITH_SHA256, der(0x03, [0], sign('sha256', said, privateKey)))
  const cert = `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }
}

let routes = []
const exchanges = []

const read = async stream => {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const pass = async (incoming, outgoing) => {
  const { method, url, headers } = incoming
  const [prefix, to] = routes.find(([prefix]) => url.startsWith(prefix))
  const body = await read(incoming)
  const answer = await new Promise((done, failed) => {
    const target = new URL(to + url.slice(prefix.length))
    const asked = request(target, { method, headers: { ...headers, host: target.host }, agent: false }, done)
    asked.on('error', failed).end(body)
  })
  const text = await read(answer)
  exchanges.push({
    method,
    path: url.split('?')[0],
    cookie: headers.cookie ?? '',
    body: `${body}`,
    status: answer.statusCode,
    setCookie: answer.headers['set-cookie'] ?? [],
    answer: `${text}`,
  })
  const { connection, 'transfer-encoding': encoding, 'content-length': length, ...kept } = answer.headers
  outgoing.writeHead(answer.statusCode, { ...kept, 'content-length': text.length }).end(text)
}

const server = createServer(certificate(), (incoming, outgoing) => {
  pass(incoming, outgoing).catch(() => outgoing.writeHead(502).end())
})

const commands = {
  async start() {
    await new Promise(done => server.listen(0, '127.0.0.1', done))
    return { origin: `https://127.0.0.1:${server.address().port}` }
  },
  /** `[prefix, to]`: what begins with the one goes to the other, in this order. */
  serve: given => {
    routes = given
  },
  exchanges: prefix => exchanges.filter(({ path }) => path.startsWith(prefix)),
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line)
  const answer = await commands[command](argument)
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
}
process.exit()
