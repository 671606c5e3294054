CREATE TABLE "api_keys" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"key_hash" "bytea" NOT NULL,
	"scopes" text[] NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "api_keys_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "invitations" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invitations_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "refresh_tokens" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "refresh_tokens_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "sessions_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"password_hash" text NOT NULL,
	"timezone" text DEFAULT 'UTC' NOT NULL,
	"locale" text DEFAULT 'en' NOT NULL,
	"instructions" text DEFAULT '' NOT NULL,
	"memory_paused" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"title" text DEFAULT '' NOT NULL,
	"temporary" boolean DEFAULT false NOT NULL,
	"next_sequence" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversations_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"parent_id" uuid,
	"sequence" integer NOT NULL,
	"role" text NOT NULL,
	"name" text,
	"content" text NOT NULL,
	"model" text,
	"citations" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"extracted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "messages_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "turn_events" (
	"owner_id" uuid NOT NULL,
	"turn_id" uuid NOT NULL,
	"id" bigint NOT NULL,
	"type" text NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "turn_events_owner_id_turn_id_id_pk" PRIMARY KEY("owner_id","turn_id","id")
);
--> statement-breakpoint
CREATE TABLE "turns" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"user_message_id" uuid NOT NULL,
	"reply_message_id" uuid,
	"status" text NOT NULL,
	"model" text NOT NULL,
	"options" jsonb NOT NULL,
	"memories_used" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"usage" jsonb,
	"error" jsonb,
	"runner_id" uuid,
	"lease_until" timestamp (3) with time zone,
	"stop_requested_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "turns_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "memories" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"text" text NOT NULL,
	"text_hash" "bytea" NOT NULL,
	"category" text NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"subject" text,
	"slot" text,
	"importance" real NOT NULL,
	"importance_reason" text,
	"strength" real DEFAULT 1 NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"proof_count" integer DEFAULT 1 NOT NULL,
	"pinned" boolean DEFAULT false NOT NULL,
	"status" text NOT NULL,
	"valid_from" timestamp (3) with time zone,
	"valid_to" timestamp (3) with time zone,
	"superseded_by" uuid,
	"forgotten_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "memories_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "memory_sources" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"memory_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"message_id" uuid,
	"quote" text NOT NULL,
	"quote_start" integer,
	"said_by" text NOT NULL,
	"said_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "memory_sources_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "memory_terms" (
	"owner_id" uuid NOT NULL,
	"term" text NOT NULL,
	"id" uuid NOT NULL,
	"weight" real NOT NULL,
	CONSTRAINT "memory_terms_owner_id_term_id_pk" PRIMARY KEY("owner_id","term","id")
);
--> statement-breakpoint
CREATE TABLE "memory_vectors" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"model" text NOT NULL,
	"embedding" halfvec NOT NULL,
	CONSTRAINT "memory_vectors_owner_id_id_model_pk" PRIMARY KEY("owner_id","id","model")
);
--> statement-breakpoint
CREATE TABLE "message_terms" (
	"owner_id" uuid NOT NULL,
	"term" text NOT NULL,
	"id" uuid NOT NULL,
	"weight" real NOT NULL,
	CONSTRAINT "message_terms_owner_id_term_id_pk" PRIMARY KEY("owner_id","term","id")
);
--> statement-breakpoint
CREATE TABLE "message_vectors" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"model" text NOT NULL,
	"embedding" halfvec NOT NULL,
	CONSTRAINT "message_vectors_owner_id_id_model_pk" PRIMARY KEY("owner_id","id","model")
);
--> statement-breakpoint
CREATE TABLE "term_counts" (
	"owner_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"term" text NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "term_counts_owner_id_kind_term_pk" PRIMARY KEY("owner_id","kind","term")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"owner_id" uuid NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"response" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_owner_id_key_pk" PRIMARY KEY("owner_id","key")
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_owner_id_session_id_sessions_owner_id_id_fk" FOREIGN KEY ("owner_id","session_id") REFERENCES "public"."sessions"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_owner_id_conversation_id_conversations_owner_id_id_fk" FOREIGN KEY ("owner_id","conversation_id") REFERENCES "public"."conversations"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_owner_id_parent_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","parent_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "turn_events" ADD CONSTRAINT "turn_events_owner_id_turn_id_turns_owner_id_id_fk" FOREIGN KEY ("owner_id","turn_id") REFERENCES "public"."turns"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "turns" ADD CONSTRAINT "turns_owner_id_conversation_id_conversations_owner_id_id_fk" FOREIGN KEY ("owner_id","conversation_id") REFERENCES "public"."conversations"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "turns" ADD CONSTRAINT "turns_owner_id_user_message_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","user_message_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "turns" ADD CONSTRAINT "turns_owner_id_reply_message_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","reply_message_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE SET NULL ("reply_message_id") ON UPDATE no action DEFERRABLE INITIALLY DEFERRED;--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_owner_id_superseded_by_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","superseded_by") REFERENCES "public"."memories"("owner_id","id") ON DELETE SET NULL ("superseded_by") ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_sources" ADD CONSTRAINT "memory_sources_owner_id_memory_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","memory_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_sources" ADD CONSTRAINT "memory_sources_owner_id_message_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","message_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE SET NULL ("message_id") ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_terms" ADD CONSTRAINT "memory_terms_owner_id_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_vectors" ADD CONSTRAINT "memory_vectors_owner_id_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_terms" ADD CONSTRAINT "message_terms_owner_id_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","id") REFERENCES "public"."messages"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_vectors" ADD CONSTRAINT "message_vectors_owner_id_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","id") REFERENCES "public"."messages"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "term_counts" ADD CONSTRAINT "term_counts_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("key_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_code_hash" ON "invitations" USING btree ("code_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "refresh_tokens_hash" ON "refresh_tokens" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email" ON "users" USING btree ("email");--> statement-breakpoint
CREATE INDEX "conversations_newest" ON "conversations" USING btree ("owner_id","updated_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "messages_sequence" ON "messages" USING btree ("owner_id","conversation_id","sequence");--> statement-breakpoint
CREATE INDEX "messages_parent" ON "messages" USING btree ("owner_id","parent_id");--> statement-breakpoint
CREATE INDEX "turns_conversation" ON "turns" USING btree ("owner_id","conversation_id","created_at");--> statement-breakpoint
CREATE INDEX "turns_user_message" ON "turns" USING btree ("owner_id","user_message_id");--> statement-breakpoint
CREATE INDEX "turns_reply_message" ON "turns" USING btree ("owner_id","reply_message_id");--> statement-breakpoint
CREATE UNIQUE INDEX "memories_text_hash" ON "memories" USING btree ("owner_id","text_hash") WHERE forgotten_at IS NULL AND status IN ('active', 'conflicting', 'proposed', 'unconfirmed');--> statement-breakpoint
CREATE INDEX "memories_newest" ON "memories" USING btree ("owner_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "memories_superseded_by" ON "memories" USING btree ("owner_id","superseded_by");--> statement-breakpoint
CREATE INDEX "memory_sources_memory" ON "memory_sources" USING btree ("owner_id","memory_id");--> statement-breakpoint
CREATE UNIQUE INDEX "memory_sources_message" ON "memory_sources" USING btree ("owner_id","message_id","memory_id");--> statement-breakpoint
CREATE INDEX "memory_terms_id" ON "memory_terms" USING btree ("owner_id","id");--> statement-breakpoint
CREATE INDEX "message_terms_id" ON "message_terms" USING btree ("owner_id","id");