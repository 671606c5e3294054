import type { ImageType } from './schemas.ts'

/** What files of each kind begin with; `null` stands for any byte. */
const BEGINNINGS: [ImageType, (number | null)[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38, 0x37, 0x61]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50]]
]

/** What an image is by its own bytes, whatever it is called; null where it is none that PAI takes. */
export function imageTypeOf(content: Uint8Array): ImageType | null {
  const found = BEGINNINGS.find(([, bytes]) =>
    bytes.every((byte, index) => (byte ?? content[index]) === content[index] && index < content.length)
  )
  return found?.[0] ?? null
}
