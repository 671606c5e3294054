CREATE TABLE "consolidations" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"status" text NOT NULL,
	"report" jsonb NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"undone_at" timestamp (3) with time zone,
	CONSTRAINT "consolidations_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "conversation_summaries" (
	"owner_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"through_sequence" integer NOT NULL,
	"text" text NOT NULL,
	"built_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversation_summaries_owner_id_conversation_id_pk" PRIMARY KEY("owner_id","conversation_id")
);
--> statement-breakpoint
CREATE TABLE "memory_cluster_members" (
	"owner_id" uuid NOT NULL,
	"memory_id" uuid NOT NULL,
	"cluster_id" uuid NOT NULL,
	CONSTRAINT "memory_cluster_members_owner_id_memory_id_pk" PRIMARY KEY("owner_id","memory_id")
);
--> statement-breakpoint
CREATE TABLE "memory_clusters" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"topic" text NOT NULL,
	"size" integer NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "memory_clusters_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "profiles" (
	"owner_id" uuid NOT NULL,
	"text" text NOT NULL,
	"previous_text" text,
	"memory_ids" uuid[] DEFAULT '{}' NOT NULL,
	"previous_memory_ids" uuid[],
	"built_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "profiles_owner_id_pk" PRIMARY KEY("owner_id")
);
--> statement-breakpoint
CREATE TABLE "memory_conflicts" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"memory_id" uuid NOT NULL,
	"other_id" uuid NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	CONSTRAINT "memory_conflicts_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "memory_dependencies" (
	"owner_id" uuid NOT NULL,
	"memory_id" uuid NOT NULL,
	"depends_on" uuid NOT NULL,
	CONSTRAINT "memory_dependencies_owner_id_memory_id_depends_on_pk" PRIMARY KEY("owner_id","memory_id","depends_on")
);
--> statement-breakpoint
CREATE TABLE "memory_extractions" (
	"owner_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"status" text NOT NULL,
	"attempts" integer NOT NULL,
	"error_code" text NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "memory_extractions_owner_id_message_id_pk" PRIMARY KEY("owner_id","message_id")
);
--> statement-breakpoint
CREATE TABLE "memory_history" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"memory_id" uuid NOT NULL,
	"action" text NOT NULL,
	"by" text NOT NULL,
	"reason" text,
	"before" jsonb,
	"after" jsonb,
	"batch_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"undone_at" timestamp (3) with time zone,
	CONSTRAINT "memory_history_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "memory_purges" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"purged_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"checked" jsonb NOT NULL,
	CONSTRAINT "memory_purges_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "vector_models" (
	"owner_id" uuid NOT NULL,
	"model" text NOT NULL,
	"next_model" text,
	"done" integer DEFAULT 0 NOT NULL,
	"total" integer DEFAULT 0 NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "vector_models_owner_id_pk" PRIMARY KEY("owner_id")
);
--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "memory_paused" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "sorted_by" text DEFAULT 'pai' NOT NULL;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "closed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "origin" text DEFAULT 'told' NOT NULL;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "purge_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "memory_sources" ADD COLUMN "reference" text;--> statement-breakpoint
ALTER TABLE "consolidations" ADD CONSTRAINT "consolidations_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_summaries" ADD CONSTRAINT "conversation_summaries_owner_id_conversation_id_conversations_owner_id_id_fk" FOREIGN KEY ("owner_id","conversation_id") REFERENCES "public"."conversations"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_cluster_members" ADD CONSTRAINT "memory_cluster_members_owner_id_memory_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","memory_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_cluster_members" ADD CONSTRAINT "memory_cluster_members_owner_id_cluster_id_memory_clusters_owner_id_id_fk" FOREIGN KEY ("owner_id","cluster_id") REFERENCES "public"."memory_clusters"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_clusters" ADD CONSTRAINT "memory_clusters_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_conflicts" ADD CONSTRAINT "memory_conflicts_owner_id_memory_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","memory_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_conflicts" ADD CONSTRAINT "memory_conflicts_owner_id_other_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","other_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_dependencies" ADD CONSTRAINT "memory_dependencies_owner_id_memory_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","memory_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_dependencies" ADD CONSTRAINT "memory_dependencies_owner_id_depends_on_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","depends_on") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_extractions" ADD CONSTRAINT "memory_extractions_owner_id_message_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","message_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_history" ADD CONSTRAINT "memory_history_owner_id_memory_id_memories_owner_id_id_fk" FOREIGN KEY ("owner_id","memory_id") REFERENCES "public"."memories"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_purges" ADD CONSTRAINT "memory_purges_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vector_models" ADD CONSTRAINT "vector_models_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "consolidations_newest" ON "consolidations" USING btree ("owner_id","started_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "memory_cluster_members_cluster" ON "memory_cluster_members" USING btree ("owner_id","cluster_id");--> statement-breakpoint
CREATE UNIQUE INDEX "memory_conflicts_pair" ON "memory_conflicts" USING btree ("owner_id","memory_id","other_id");--> statement-breakpoint
CREATE INDEX "memory_conflicts_other" ON "memory_conflicts" USING btree ("owner_id","other_id");--> statement-breakpoint
CREATE INDEX "memory_dependencies_depends_on" ON "memory_dependencies" USING btree ("owner_id","depends_on");--> statement-breakpoint
CREATE INDEX "memory_history_memory" ON "memory_history" USING btree ("owner_id","memory_id","id");--> statement-breakpoint
CREATE INDEX "memory_history_batch" ON "memory_history" USING btree ("owner_id","batch_id");--> statement-breakpoint
CREATE INDEX "messages_said" ON "messages" USING btree ("owner_id","created_at");--> statement-breakpoint
CREATE INDEX "memories_changed" ON "memories" USING btree ("owner_id","updated_at");--> statement-breakpoint
CREATE INDEX "memories_slot" ON "memories" USING btree ("owner_id","subject","slot");--> statement-breakpoint
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'consolidations', 'conversation_summaries', 'memory_cluster_members', 'memory_clusters', 'profiles', 'memory_conflicts',
    'memory_dependencies', 'memory_extractions', 'memory_history', 'memory_purges', 'vector_models'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner ON %I USING (owner_id = (SELECT current_owner())) '
      'WITH CHECK (owner_id = (SELECT current_owner()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO pai_app', name);
  END LOOP;
END $$;
--> statement-breakpoint
CREATE INDEX memories_purge_due ON memories (owner_id, purge_at) WHERE purge_at IS NOT NULL;
--> statement-breakpoint
-- For the nightly jobs, which work at each owner's own night.
GRANT SELECT (timezone) ON users TO pai_system;
--> statement-breakpoint
SET LOCAL ROLE pai_system;
--> statement-breakpoint
DROP FUNCTION system.list_owners(uuid, integer);
--> statement-breakpoint
CREATE FUNCTION system.list_owners(after uuid, at_most integer) RETURNS TABLE (id uuid, timezone text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT users.id, users.timezone FROM users WHERE after IS NULL OR users.id > after ORDER BY users.id LIMIT at_most $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION system.list_owners(uuid, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION system.list_owners(uuid, integer) TO pai_app;
--> statement-breakpoint
SET LOCAL ROLE pai_owner;
--> statement-breakpoint
-- Purges whose job was lost are found by the hour; a temporary chat is removed a day after its last word.
GRANT SELECT (owner_id, id, purge_at) ON memories TO pai_system;
--> statement-breakpoint
CREATE POLICY system ON memories FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
GRANT SELECT (owner_id, id, temporary, updated_at), DELETE ON conversations TO pai_system;
--> statement-breakpoint
CREATE POLICY system ON conversations TO pai_system USING (true);
--> statement-breakpoint
GRANT SELECT (conversation_id) ON turns TO pai_system;
--> statement-breakpoint
CREATE INDEX conversations_temporary ON conversations (updated_at) WHERE temporary;
--> statement-breakpoint
SET LOCAL ROLE pai_system;
--> statement-breakpoint
CREATE FUNCTION system.find_due_purges(due_at timestamptz, at_most integer) RETURNS TABLE (owner_id uuid, id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT memories.owner_id, memories.id FROM memories
         WHERE purge_at IS NOT NULL AND purge_at <= due_at ORDER BY purge_at LIMIT at_most $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION system.delete_expired() RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    DELETE FROM turn_events USING turns
     WHERE turns.owner_id = turn_events.owner_id AND turns.id = turn_events.turn_id
       AND turns.finished_at < now() - interval '24 hours';
    DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours';
    DELETE FROM conversations WHERE temporary AND updated_at < now() - interval '24 hours' AND NOT EXISTS (
      SELECT FROM turns WHERE turns.owner_id = conversations.owner_id AND turns.conversation_id = conversations.id
         AND turns.status IN ('queued', 'running'));
  $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION system.find_due_purges(timestamptz, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION system.find_due_purges(timestamptz, integer) TO pai_app;
--> statement-breakpoint
SET LOCAL ROLE pai_owner;
