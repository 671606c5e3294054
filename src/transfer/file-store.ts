import { and, asc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { BroughtIn } from './bring-in.ts'
import type { FileImportProgress } from './schemas.ts'
import type { Part } from './split.ts'
import { fileImportParts, fileImports } from './tables.ts'

type FileImportRow = typeof fileImports.$inferSelect

export async function createFileImport(
  tx: Tx,
  ownerId: string,
  values: Pick<FileImportRow, 'id' | 'source' | 'extract' | 'total'>
): Promise<void> {
  await tx.insert(fileImports).values({ ...values, ownerId })
}

/** Each as JSON. One statement for each: together they may be longer than a statement can be. */
export async function storeParts(
  tx: Tx,
  ownerId: string,
  importId: string,
  parts: Uint8Array[]
): Promise<void> {
  for (const [place, part] of parts.entries()) {
    // As bytes, which go to the database as they are.
    const content = sql`convert_from(${sql.param(Buffer.from(part.buffer, part.byteOffset, part.byteLength))}, 'UTF8')::jsonb`
    await tx.insert(fileImportParts).values({ ownerId, importId, place, content })
  }
}

/** Kept from any other run until the transaction ends. */
export async function lockFileImport(
  tx: Tx,
  ownerId: string,
  id: string
): Promise<FileImportRow | undefined> {
  const [row] = await tx.select().from(fileImports).where(isFileImport(ownerId, id)).for('update')
  return row
}

/** Removes the first part that is left, and answers it. */
export async function takePart(tx: Tx, ownerId: string, importId: string): Promise<Part | undefined> {
  const ofFile = and(eq(fileImportParts.ownerId, ownerId), eq(fileImportParts.importId, importId))
  const [first] = await tx
    .select({ place: fileImportParts.place })
    .from(fileImportParts)
    .where(ofFile)
    .orderBy(asc(fileImportParts.place))
    .limit(1)
  if (!first) return undefined
  const [taken] = await tx
    .delete(fileImportParts)
    .where(and(ofFile, eq(fileImportParts.place, first.place)))
    .returning({ content: fileImportParts.content })
  return taken?.content as Part | undefined
}

/** One part more is worked, and this was new in it. */
export async function saveProgress(tx: Tx, ownerId: string, id: string, count: BroughtIn): Promise<void> {
  const { conversations, messages, memories, kept } = count
  await tx
    .update(fileImports)
    .set({
      done: sql`${fileImports.done} + 1`,
      conversations: sql`${fileImports.conversations} + ${conversations}`,
      messages: sql`${fileImports.messages} + ${messages}`,
      memories: sql`${fileImports.memories} + ${memories}`,
      // Of a file that is all there, nothing of what was in it is kept here.
      kept: sql`CASE WHEN ${fileImports.done} + 1 = ${fileImports.total} THEN '[]' ELSE ${JSON.stringify(kept)}::jsonb END`
    })
    .where(isFileImport(ownerId, id))
}

/** How far a file has come; undefined where there is none of this id. */
export async function findFileImport(
  tx: Tx,
  ownerId: string,
  id: string
): Promise<FileImportProgress | undefined> {
  const left = sql<boolean>`EXISTS (SELECT FROM file_import_parts part
    WHERE part.owner_id = ${ownerId} AND part.import_id = ${id})`
  const [found] = await tx
    .select({ row: fileImports, isLeft: left })
    .from(fileImports)
    .where(isFileImport(ownerId, id))
  if (!found) return undefined
  const { total, done, source, conversations, messages, memories } = found.row
  // What is not worked within a day is removed.
  const status = done === total ? 'ready' : found.isLeft ? 'processing' : 'failed'
  return {
    id,
    conversationId: null,
    status,
    total,
    done,
    report: { source, conversations, messages, memories }
  }
}

function isFileImport(ownerId: string, id: string) {
  return and(eq(fileImports.ownerId, ownerId), eq(fileImports.id, id))
}
