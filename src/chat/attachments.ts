import { and, asc, count, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../db/client.ts'
import type { PromptImage } from '../llm/model.ts'
import {
  AttachmentNotFound,
  AttachmentsWaiting,
  AttachmentTaken,
  ImageInvalid,
  ImageTooLarge
} from './errors.ts'
import { imageTypeOf } from './image-type.ts'
import type { Attachment, ImageType } from './schemas.ts'
import { attachments, messages } from './tables.ts'

const MAX_BYTES = 5 * 1_048_576
/** Images that no message has taken yet; those of more than a day go by themselves. */
const MAX_WAITING = 64
/** Of earlier messages, a prompt shows the latest images up to this much. */
const EARLIER = { images: 16, bytes: 20 * 1_048_576 }

/** What an image is, by its own bytes. Throws where it is none, or is too large. */
export function readImage(content: Buffer): { content: Buffer; mediaType: ImageType; size: number } {
  if (content.length > MAX_BYTES) throw new ImageTooLarge()
  const mediaType = imageTypeOf(content)
  if (!mediaType) throw new ImageInvalid()
  return { content, mediaType, size: content.length }
}

/** Keeps an image until a message takes it. */
export async function createAttachment(
  tx: Tx,
  ownerId: string,
  image: ReturnType<typeof readImage> & { name: string | null }
): Promise<Attachment> {
  // One after the other, or several at once would each find room for one.
  await tx.execute(sql`SELECT FROM users WHERE id = ${ownerId} FOR NO KEY UPDATE`)
  const [waiting] = await tx
    .select({ count: count() })
    .from(attachments)
    .where(and(eq(attachments.ownerId, ownerId), isNull(attachments.messageId)))
  if ((waiting?.count ?? 0) >= MAX_WAITING) throw new AttachmentsWaiting(String(MAX_WAITING))
  const id = uuidv7()
  await tx.insert(attachments).values({ ...image, ownerId, id })
  const { mediaType, name, size } = image
  return { id, mediaType, name, size }
}

export async function loadAttachment(
  tx: Tx,
  ownerId: string,
  id: string
): Promise<typeof attachments.$inferSelect> {
  const [row] = await tx.select().from(attachments).where(isAttachment(ownerId, id))
  if (!row) throw new AttachmentNotFound(id)
  return row
}

/** Removes an image that no message has. */
export async function removeAttachment(tx: Tx, ownerId: string, id: string): Promise<void> {
  const gone = await tx
    .delete(attachments)
    .where(and(isAttachment(ownerId, id), isNull(attachments.messageId)))
    .returning({ id: attachments.id })
  if (gone.length > 0) return
  const taken = await tx.select({ id: attachments.id }).from(attachments).where(isAttachment(ownerId, id))
  throw taken.length > 0 ? new AttachmentTaken(id) : new AttachmentNotFound(id)
}

/**
 * Gives a message these images. One that a message of the same conversation has already is copied: an edited message shows
 * what the one before it did. Throws for one that is not there, or in another conversation.
 */
export async function attachTo(tx: Tx, ownerId: string, messageId: string, ids: string[]): Promise<void> {
  const waiting = await tx
    .update(attachments)
    .set({ messageId })
    .where(and(eq(attachments.ownerId, ownerId), inArray(attachments.id, ids), isNull(attachments.messageId)))
    .returning({ id: attachments.id })
  const taken = ids.filter((id) => waiting.every((one) => one.id !== id))
  for (const id of taken) {
    const { content, mediaType, name, size, messageId: takenBy } = await loadAttachment(tx, ownerId, id)
    if (!takenBy || !(await isSameConversation(tx, ownerId, messageId, takenBy)))
      throw new AttachmentTaken(id)
    await tx.insert(attachments).values({ ownerId, id: uuidv7(), messageId, content, mediaType, name, size })
  }
}

/** Whether images came with a message. */
export async function hasImages(tx: Tx, ownerId: string, messageId: string): Promise<boolean> {
  const found = await tx
    .select({ id: attachments.id })
    .from(attachments)
    .where(and(eq(attachments.ownerId, ownerId), eq(attachments.messageId, messageId)))
    .limit(1)
  return found.length > 0
}

async function isSameConversation(tx: Tx, ownerId: string, one: string, other: string): Promise<boolean> {
  const rows = await tx
    .selectDistinct({ id: messages.conversationId })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, [one, other])))
  return rows.length === 1
}

/**
 * The images of messages, for a model to see: all of the last message, and of those before it the latest, as many as a prompt
 * may hold.
 */
export async function loadImages(
  tx: Tx,
  ownerId: string,
  messageIds: string[]
): Promise<Map<string, PromptImage[]>> {
  const { id, messageId, size, mediaType, content } = attachments
  const rows = await tx
    .select({ id, messageId, size })
    .from(attachments)
    .where(and(eq(attachments.ownerId, ownerId), inArray(messageId, messageIds), isNotNull(messageId)))
    .orderBy(asc(id))
  const chosen = new Set(rows.filter((row) => row.messageId === messageIds.at(-1)).map((row) => row.id))
  let [images, bytes] = [0, 0]
  const earlier = messageIds.slice(0, -1).toReversed()
  for (const row of earlier.flatMap((said) => rows.filter((one) => one.messageId === said))) {
    images++
    bytes += row.size
    if (images > EARLIER.images || bytes > EARLIER.bytes) break
    chosen.add(row.id)
  }
  if (chosen.size === 0) return new Map()
  const shown = await tx
    .select({ messageId, mediaType, data: content })
    .from(attachments)
    .where(and(eq(attachments.ownerId, ownerId), inArray(id, [...chosen])))
    .orderBy(asc(id))
  const byMessage = Map.groupBy(shown, (row) => row.messageId ?? '')
  return new Map(
    [...byMessage].map(([of, some]) => [
      of,
      some.map(({ mediaType: type, data }) => ({ mediaType: type, data }))
    ])
  )
}

function isAttachment(ownerId: string, id: string) {
  return and(eq(attachments.ownerId, ownerId), eq(attachments.id, id))
}
