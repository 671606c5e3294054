-- Row-level security, the few functions that look across owners, and the term statistics.
-- Runs as pai_owner; src/db/roles.ts has made the three roles.

CREATE FUNCTION current_owner() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('pai.owner_id', true), '')::uuid;
--> statement-breakpoint
-- The sub-select makes the planner read the setting once a statement, not once a row.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'sessions', 'refresh_tokens', 'api_keys', 'invitations', 'idempotency_keys', 'conversations', 'messages', 'turns',
    'turn_events', 'memories', 'memory_sources', 'memory_vectors', 'memory_terms', 'message_vectors', 'message_terms',
    'term_counts'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner ON %I USING (owner_id = (SELECT current_owner())) '
      'WITH CHECK (owner_id = (SELECT current_owner()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO pai_app', name);
  END LOOP;
END $$;
--> statement-breakpoint
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_owner_id_users_id_fk
  FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE;
--> statement-breakpoint
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE users FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY owner ON users USING (id = (SELECT current_owner())) WITH CHECK (id = (SELECT current_owner()));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO pai_app;
--> statement-breakpoint

-- Term statistics: counted by the statement that adds or removes term rows, whatever its cause. Terms are taken in
-- order, so two writers of one owner wait for each other and never deadlock.
CREATE FUNCTION count_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gone record;
  remaining integer;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO term_counts (owner_id, kind, term, count)
      SELECT owner_id, TG_ARGV[0], term, count(*) FROM changed GROUP BY owner_id, term ORDER BY owner_id, term
      ON CONFLICT (owner_id, kind, term) DO UPDATE SET count = term_counts.count + excluded.count;
    RETURN NULL;
  END IF;
  -- One key look-up a term: joined with the removed rows, whose number the planner cannot know, it went quadratic.
  FOR gone IN
    SELECT owner_id, term, count(*) AS count FROM changed GROUP BY owner_id, term ORDER BY owner_id, term
  LOOP
    -- Taken down first: that locks the row, so what is left is what everybody before has left.
    UPDATE term_counts SET count = term_counts.count - gone.count
     WHERE owner_id = gone.owner_id AND kind = TG_ARGV[0] AND term = gone.term
     RETURNING term_counts.count INTO remaining;
    IF remaining <= 0 THEN
      DELETE FROM term_counts WHERE owner_id = gone.owner_id AND kind = TG_ARGV[0] AND term = gone.term;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER count_added AFTER INSERT ON memory_terms REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_terms('memory');
--> statement-breakpoint
CREATE TRIGGER count_removed AFTER DELETE ON memory_terms REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_terms('memory');
--> statement-breakpoint
CREATE TRIGGER count_added AFTER INSERT ON message_terms REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_terms('message');
--> statement-breakpoint
CREATE TRIGGER count_removed AFTER DELETE ON message_terms REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_terms('message');
--> statement-breakpoint

-- What must look across owners. Each function is listed in src/db/system.ts; pai_system can reach nothing else.
CREATE POLICY system ON users FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON refresh_tokens FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON api_keys FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON invitations FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON turns FOR SELECT TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON turn_events TO pai_system USING (true);
--> statement-breakpoint
CREATE POLICY system ON idempotency_keys TO pai_system USING (true);
--> statement-breakpoint
GRANT SELECT (id, email, role, password_hash) ON users TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, token_hash) ON refresh_tokens TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, id, key_hash, scopes, expires_at) ON api_keys TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, id, code_hash, expires_at, used_at) ON invitations TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, id, status, lease_until, finished_at) ON turns TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, turn_id), DELETE ON turn_events TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, key, created_at), DELETE ON idempotency_keys TO pai_system;
--> statement-breakpoint
CREATE INDEX turns_unfinished ON turns (lease_until) WHERE status IN ('queued', 'running');
--> statement-breakpoint
CREATE INDEX turns_finished ON turns (finished_at);
--> statement-breakpoint
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
--> statement-breakpoint
SET LOCAL ROLE pai_system;
--> statement-breakpoint
CREATE FUNCTION system.has_accounts() RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT EXISTS (SELECT FROM users) $$;
--> statement-breakpoint
CREATE FUNCTION system.find_sign_in(wanted_email text) RETURNS TABLE (id uuid, password_hash text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT users.id, users.password_hash FROM users WHERE users.email = wanted_email $$;
--> statement-breakpoint
CREATE FUNCTION system.find_refresh_token_owner(wanted_hash bytea) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT owner_id FROM refresh_tokens WHERE token_hash = wanted_hash $$;
--> statement-breakpoint
CREATE FUNCTION system.find_api_key(wanted_hash bytea)
  RETURNS TABLE (owner_id uuid, id uuid, scopes text[], expires_at timestamptz, role text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT api_keys.owner_id, api_keys.id, api_keys.scopes, api_keys.expires_at, users.role
          FROM api_keys JOIN users ON users.id = api_keys.owner_id WHERE key_hash = wanted_hash $$;
--> statement-breakpoint
CREATE FUNCTION system.find_invitation(wanted_hash bytea) RETURNS TABLE (owner_id uuid, id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT invitations.owner_id, invitations.id FROM invitations
         WHERE code_hash = wanted_hash AND used_at IS NULL AND expires_at > now() $$;
--> statement-breakpoint
CREATE FUNCTION system.find_abandoned_turns(even_leased boolean, at_most integer) RETURNS TABLE (owner_id uuid, id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT turns.owner_id, turns.id FROM turns
         WHERE status IN ('queued', 'running') AND (even_leased OR lease_until < now()) ORDER BY lease_until LIMIT at_most $$;
--> statement-breakpoint
CREATE FUNCTION system.list_owners(after uuid, at_most integer) RETURNS TABLE (id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT users.id FROM users WHERE after IS NULL OR users.id > after ORDER BY users.id LIMIT at_most $$;
--> statement-breakpoint
-- Turn logs and stored answers are kept 24 hours.
CREATE FUNCTION system.delete_expired() RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    DELETE FROM turn_events USING turns
     WHERE turns.owner_id = turn_events.owner_id AND turns.id = turn_events.turn_id
       AND turns.finished_at < now() - interval '24 hours';
    DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours';
  $$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA system FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA system TO pai_app;
--> statement-breakpoint
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA system TO pai_app;
--> statement-breakpoint
SET LOCAL ROLE pai_owner;
