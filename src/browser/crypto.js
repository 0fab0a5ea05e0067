// Signatures, checked and made by WebCrypto: no key can be read, not even by this module. The natives are taken while the
// module is evaluated (see natives.js). What a key pair comes in is of the platform's making, and the platform looks for
// a `then` on it: where somebody has put one on Object.prototype, no key is made.

import { chained, copyOf, subtle, utf8 } from './kept.js'
import { Uint8Array, everything, fromJson, member, ownValue, record, then } from './natives.js'

const { SubtleCrypto } = globalThis
const [exportKey, generateKey, importKey, sign, verify] = ['exportKey', 'generateKey', 'importKey', 'sign', 'verify'].map(
  name => member(SubtleCrypto && SubtleCrypto.prototype, name),
)

const rsa = (name, bits) => record({ name, hash: 'SHA-' + bits, saltLength: bits / 8 })
const PKCS1 = 'RSASSA-PKCS1-v1_5'
const ecdsa = (curve, bits) => record({ name: 'ECDSA', namedCurve: curve, hash: 'SHA-' + bits })
const ECDSA = ecdsa('P-256', 256)
const ED25519 = record({ name: 'Ed25519' })
// By their names in a header (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864); src/protocol/jose.rs has the same.
const ALGORITHMS = record({
  RS256: rsa(PKCS1, 256),
  RS384: rsa(PKCS1, 384),
  RS512: rsa(PKCS1, 512),
  PS256: rsa('RSA-PSS', 256),
  PS384: rsa('RSA-PSS', 384),
  PS512: rsa('RSA-PSS', 512),
  ES256: ECDSA,
  ES384: ecdsa('P-384', 384),
  ES512: ecdsa('P-521', 512),
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
