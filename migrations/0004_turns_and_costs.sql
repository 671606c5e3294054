CREATE TABLE "attachments" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"message_id" uuid,
	"media_type" text NOT NULL,
	"name" text,
	"size" integer NOT NULL,
	"content" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "attachments_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "file_import_parts" (
	"owner_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"place" integer NOT NULL,
	"content" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "file_import_parts_owner_id_import_id_place_pk" PRIMARY KEY("owner_id","import_id","place")
);
--> statement-breakpoint
CREATE TABLE "file_imports" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"source" text NOT NULL,
	"extract" boolean NOT NULL,
	"total" integer NOT NULL,
	"done" integer DEFAULT 0 NOT NULL,
	"conversations" integer DEFAULT 0 NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"memories" integer DEFAULT 0 NOT NULL,
	"kept" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "file_imports_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "model_calls" (
	"owner_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"conversation_id" uuid,
	"purpose" text NOT NULL,
	"model" text NOT NULL,
	"input_tokens" integer NOT NULL,
	"cached_tokens" integer NOT NULL,
	"output_tokens" integer NOT NULL,
	"cost_nanos" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_calls_owner_id_id_pk" PRIMARY KEY("owner_id","id")
);
--> statement-breakpoint
CREATE TABLE "monthly_costs" (
	"owner_id" uuid NOT NULL,
	"month" date NOT NULL,
	"cost_nanos" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "monthly_costs_owner_id_month_pk" PRIMARY KEY("owner_id","month")
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "monthly_budget_cents" integer;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "titled_by" text DEFAULT 'words' NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "archived_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_owner_id_message_id_messages_owner_id_id_fk" FOREIGN KEY ("owner_id","message_id") REFERENCES "public"."messages"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_import_parts" ADD CONSTRAINT "file_import_parts_owner_id_import_id_file_imports_owner_id_id_fk" FOREIGN KEY ("owner_id","import_id") REFERENCES "public"."file_imports"("owner_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_imports" ADD CONSTRAINT "file_imports_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_calls" ADD CONSTRAINT "model_calls_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_calls" ADD CONSTRAINT "model_calls_conversation_fk" FOREIGN KEY ("owner_id","conversation_id") REFERENCES "public"."conversations"("owner_id","id") ON DELETE SET NULL ("conversation_id") ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "monthly_costs" ADD CONSTRAINT "monthly_costs_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attachments_message" ON "attachments" USING btree ("owner_id","message_id");--> statement-breakpoint
CREATE INDEX "model_calls_made" ON "model_calls" USING btree ("owner_id","created_at");--> statement-breakpoint
CREATE INDEX "model_calls_conversation" ON "model_calls" USING btree ("owner_id","conversation_id");
--> statement-breakpoint

-- Written by hand from here on: row-level security, and what must look across owners.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['attachments', 'model_calls', 'monthly_costs', 'file_imports', 'file_import_parts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner ON %I USING (owner_id = (SELECT current_owner())) '
      'WITH CHECK (owner_id = (SELECT current_owner()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO pai_app', name);
  END LOOP;
END $$;
--> statement-breakpoint
CREATE INDEX attachments_loose ON attachments (created_at) WHERE message_id IS NULL;
--> statement-breakpoint
-- Rows lie in the order of their time, so their pages' ranges are all that removing the old ones needs.
CREATE INDEX model_calls_age ON model_calls USING brin (created_at);
--> statement-breakpoint
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
--> statement-breakpoint
CREATE POLICY system ON attachments TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON model_calls TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON file_import_parts TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON sessions FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON vector_models FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system_renew ON turns FOR UPDATE TO pai_system USING (true);
--> statement-breakpoint
GRANT SELECT (message_id, created_at), DELETE ON attachments TO pai_system;
--> statement-breakpoint
GRANT SELECT (created_at), DELETE ON model_calls TO pai_system;
--> statement-breakpoint
GRANT SELECT (created_at), DELETE ON file_import_parts TO pai_system;
--> statement-breakpoint
GRANT SELECT (id, revoked_at) ON sessions TO pai_system;
--> statement-breakpoint
GRANT SELECT (model, next_model) ON vector_models TO pai_system;
--> statement-breakpoint
GRANT SELECT (runner_id, stop_requested_at), UPDATE (lease_until) ON turns TO pai_system;
--> statement-breakpoint
GRANT SELECT (id), INSERT ON turn_events TO pai_system;
--> statement-breakpoint
SET LOCAL ROLE pai_system;
--> statement-breakpoint
-- A process writes the events of all its turns at once, whoever they belong to; it can write to no other's. The lock makes
-- whoever ends an abandoned turn wait for what is being written, or what is being written find the turn ended. Written
-- again after an answer that was lost, nothing is doubled.
CREATE FUNCTION system.append_turn_events(runner uuid, batch jsonb) RETURNS TABLE (turn_id uuid)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    WITH part AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(batch) AS part (owner_id uuid, turn_id uuid, first_id bigint, events jsonb)
    ), held AS MATERIALIZED (
      SELECT turns.owner_id, turns.id FROM turns JOIN part ON turns.owner_id = part.owner_id AND turns.id = part.turn_id
       WHERE turns.runner_id = runner AND turns.status IN ('queued', 'running')
       ORDER BY turns.owner_id, turns.id FOR KEY SHARE OF turns
    ), stored AS (
      INSERT INTO turn_events (owner_id, turn_id, id, type, data)
      SELECT held.owner_id, held.id, part.first_id + event.place - 1, event.value ->> 'type', event.value -> 'data'
        FROM held JOIN part ON part.turn_id = held.id
        CROSS JOIN LATERAL jsonb_array_elements(part.events) WITH ORDINALITY AS event (value, place)
      ON CONFLICT (owner_id, turn_id, id) DO NOTHING
    )
    SELECT held.id FROM held
  $$;
--> statement-breakpoint
-- Only those it still knows of: one whose acceptance was lost on the way to it must be found as abandoned.
CREATE FUNCTION system.renew_leases(runner uuid, turn_ids uuid[]) RETURNS TABLE (turn_id uuid, stop_requested boolean)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    UPDATE turns SET lease_until = now() + interval '15 seconds'
     WHERE turns.runner_id = runner AND turns.id = ANY (turn_ids) AND turns.status IN ('queued', 'running')
    RETURNING turns.id, turns.stop_requested_at IS NOT NULL
  $$;
--> statement-breakpoint
CREATE FUNCTION system.list_revoked_sessions(since timestamptz) RETURNS TABLE (id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT sessions.id FROM sessions WHERE sessions.revoked_at >= since $$;
--> statement-breakpoint
-- Which embedding models somebody's vectors are of, or are being built of.
CREATE FUNCTION system.list_vector_models() RETURNS TABLE (model text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT vector_models.model FROM vector_models
    UNION SELECT vector_models.next_model FROM vector_models WHERE vector_models.next_model IS NOT NULL
  $$;
--> statement-breakpoint
-- What each caller asked for in the minute that runs, by all processes together. Losing it in a crash lets a few more through.
CREATE UNLOGGED TABLE system.request_counts (
  key text NOT NULL,
  minute timestamptz NOT NULL,
  count integer NOT NULL,
  PRIMARY KEY (key, minute)
);
--> statement-breakpoint
CREATE FUNCTION system.count_requests(counted jsonb) RETURNS TABLE (key text, count integer)
  LANGUAGE sql SECURITY DEFINER SET search_path = system, pg_temp
  AS $$
    INSERT INTO request_counts AS known (key, minute, count)
      SELECT added.key, date_trunc('minute', now()), added.value::integer FROM jsonb_each_text(counted) AS added ORDER BY 1
      ON CONFLICT (key, minute) DO UPDATE SET count = known.count + excluded.count
    RETURNING known.key, known.count
  $$;
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
    DELETE FROM attachments WHERE message_id IS NULL AND created_at < now() - interval '24 hours';
    DELETE FROM file_import_parts WHERE created_at < now() - interval '24 hours';
    DELETE FROM model_calls WHERE created_at < now() - interval '400 days';
    DELETE FROM system.request_counts WHERE minute < now() - interval '2 minutes';
  $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION system.append_turn_events(uuid, jsonb), system.renew_leases(uuid, uuid[]),
  system.list_revoked_sessions(timestamptz), system.list_vector_models(), system.count_requests(jsonb) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION system.append_turn_events(uuid, jsonb), system.renew_leases(uuid, uuid[]),
  system.list_revoked_sessions(timestamptz), system.list_vector_models(), system.count_requests(jsonb) TO pai_app;
--> statement-breakpoint
SET LOCAL ROLE pai_owner;
