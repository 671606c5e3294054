import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

const SECRET_BYTES = 32

/** A key of its own for each purpose: what one of them signs means nothing to another. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `pai/${purpose}`, SECRET_BYTES))
}

/** A new secret with a prefix that says what it is, to people and to scanners for leaked secrets. */
export function randomSecret(prefix: string): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url')
}

/** A secret that `key` can make again from the same words, and nobody can make without it. */
export function derivedSecret(prefix: string, key: Buffer, ...words: string[]): string {
  return prefix + createHmac('sha256', key).update(JSON.stringify(words)).digest('base64url')
}

/** Whether the text looks like one of our secrets: what does not is never looked up. */
export function isSecret(prefix: string, text: string): boolean {
  return text.startsWith(prefix) && /^[\w-]{43}$/.test(text.slice(prefix.length))
}

/** What is stored of a secret. One plain SHA-256 will do: 256 random bits cannot be guessed. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
