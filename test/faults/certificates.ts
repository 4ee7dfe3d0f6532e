// Certificates made on the spot, because node:crypto can sign but not make them, and a key that lies in a repository is a nuisance.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  key: string
  cert: string
  name: string
}

/** A certificate for a host, signed by its own key or by that of another one. Years are of this century. */
export function certificate(name: string, { by, until = 49 }: { by?: Certificate; until?: number } = {}): Certificate {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const validity = der(0x30, der(0x17, '200101000000Z'), der(0x17, `${until}1231235959Z`))
  const serial = der(0x02, Buffer.of(1 + Math.floor(Math.random() * 126)))
  const parts = [serial, ECDSA_WITH_SHA256, commonName(by?.name ?? name), validity, commonName(name), pair.publicKey]
  const body = der(0x30, ...parts)
  const signature = sign('sha256', body, createPrivateKey(by?.key ?? pair.privateKey))
  const whole = der(0x30, body, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), signature)).toString('base64')
  return {
    name,
    key: pair.privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${whole.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
  }
}

function der(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.of(tag, ...length), body])
}

function commonName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, name))))
}

const ECDSA_WITH_SHA256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
