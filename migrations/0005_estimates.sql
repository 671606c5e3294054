ALTER TABLE "model_calls" ADD COLUMN "estimated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "memories_words" ON "memories" USING btree ("owner_id","text_hash");