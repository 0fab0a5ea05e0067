// Signatures, checked and made by WebCrypto: no key can be read, not even by this module. The natives are taken while the
// module is evaluated (see natives.js). What a key pair comes in is of the platform's making, and the platform looks for
// a `then` on it: where somebody has put one on Object.prototype, no key is made.

import { chained, copyOf, subtle, utf8 } from './kept.js'
import { fromJson, member, ownValue, record, then } from './natives.js'

const { Object, SubtleCrypto, Uint8Array } = globalThis
const everything = Object.prototype
const [exportKey, generateKey, importKey, sign, verify] = ['exportKey', 'generateKey', 'importKey', 'sign', 'verify'].map(
  name => member(SubtleCrypto && SubtleCrypto.prototype, name),
)

const ECDSA = record({ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' })
const ED25519 = record({ name: 'Ed25519' })
// By their names in a header (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864).
const ALGORITHMS = record({
  RS256: record({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }),
  ES256: ECDSA,
  EdDSA: ED25519,
  Ed25519: ED25519,
})

/** Wakes the task with whether a key, the JSON text of a public JWK, made the signature over the text. */
export const checkSignature = (id, name, key, text, signature) => {
  const bytes = copyOf(signature)
  chained(id, (done, failed) => {
    const algorithm = ALGORITHMS[name]
    then(
      importKey(subtle, 'jwk', record(fromJson(key)), algorithm, false, ['verify']),
      key => then(verify(subtle, algorithm, key, bytes, utf8(text)), done, failed),
      failed,
    )
  })
}

const isPlain = () => ownValue(everything, 'then') === undefined

/** Wakes the task with a key to sign with, and what anybody may know of it. */
export const makeSigner = id =>
  chained(id, (done, failed) => {
    const spied = record({ name: 'Spied' })
    if (!isPlain()) return failed(spied)
    then(
      generateKey(subtle, ECDSA, false, ['sign']),
      keys =>
        isPlain()
          ? then(
              exportKey(subtle, 'raw', keys.publicKey),
              buffer => done(record({ key: keys.privateKey, shown: new Uint8Array(buffer) })),
              failed,
            )
          : failed(spied),
      failed,
    )
  })

export const keyOfSigner = signer => signer.key

/** Wakes the task with the signature over a text. */
export const signText = (id, key, text) =>
  chained(id, (done, failed) =>
    then(sign(subtle, ECDSA, key, utf8(text)), buffer => done(new Uint8Array(buffer)), failed),
  )
