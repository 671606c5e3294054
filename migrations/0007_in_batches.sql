GRANT SELECT (owner_id, id) ON attachments TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, id) ON model_calls TO pai_system;
--> statement-breakpoint
GRANT SELECT (owner_id, import_id, place) ON file_import_parts TO pai_system;
--> statement-breakpoint
SET LOCAL ROLE pai_system;
--> statement-breakpoint
-- In place of append_turn_events, which processes of the version before still call: a turn that somebody deletes or ends at this
-- moment would have all others wait for that. It comes back as not stored, and is brought again.
CREATE FUNCTION system.append_to_logs(runner uuid, batch jsonb) RETURNS TABLE (turn_id uuid, is_stored boolean)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    WITH part AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(batch) AS part (owner_id uuid, turn_id uuid, first_id bigint, events jsonb)
    ), mine AS MATERIALIZED (
      SELECT turns.id FROM turns JOIN part ON turns.owner_id = part.owner_id AND turns.id = part.turn_id
       WHERE turns.runner_id = runner AND turns.status IN ('queued', 'running')
    ), held AS MATERIALIZED (
      SELECT turns.owner_id, turns.id FROM turns JOIN part ON turns.owner_id = part.owner_id AND turns.id = part.turn_id
       WHERE turns.runner_id = runner AND turns.status IN ('queued', 'running')
       ORDER BY turns.owner_id, turns.id FOR KEY SHARE OF turns SKIP LOCKED
    ), stored AS (
      INSERT INTO turn_events (owner_id, turn_id, id, type, data)
      SELECT held.owner_id, held.id, part.first_id + event.place - 1, event.value ->> 'type', event.value -> 'data'
        FROM held JOIN part ON part.turn_id = held.id
        CROSS JOIN LATERAL jsonb_array_elements(part.events) WITH ORDINALITY AS event (value, place)
      ON CONFLICT (owner_id, turn_id, id) DO NOTHING
    )
    SELECT mine.id, held.id IS NOT NULL FROM mine LEFT JOIN held ON held.id = mine.id
  $$;
--> statement-breakpoint
-- The same in place of renew_leases: a turn that is locked is told of, and renewed next time.
CREATE FUNCTION system.keep_leases(runner uuid, turn_ids uuid[]) RETURNS TABLE (turn_id uuid, stop_requested boolean)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    WITH mine AS MATERIALIZED (
      SELECT turns.id, turns.stop_requested_at FROM turns
       WHERE turns.runner_id = runner AND turns.id = ANY (turn_ids) AND turns.status IN ('queued', 'running')
    ), free AS MATERIALIZED (
      SELECT turns.owner_id, turns.id FROM turns
       WHERE turns.runner_id = runner AND turns.id = ANY (turn_ids) AND turns.status IN ('queued', 'running')
       ORDER BY turns.owner_id, turns.id FOR NO KEY UPDATE SKIP LOCKED
    ), renewed AS (
      UPDATE turns SET lease_until = now() + interval '15 seconds' FROM free
       WHERE turns.owner_id = free.owner_id AND turns.id = free.id
    )
    SELECT mine.id, mine.stop_requested_at IS NOT NULL FROM mine
  $$;
--> statement-breakpoint
-- So much of each kind at a time, less of what is large or takes other rows along; answers whether there may be more. In place of
-- the one without a limit: what had gathered while nobody tidied took longer than a statement may, and then went never.
CREATE FUNCTION system.delete_expired(at_most integer) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    DECLARE
      a_day_ago timestamptz := now() - interval '24 hours';
      few integer := greatest(at_most / 50, 1);
      deleted integer;
      is_more boolean := false;
    BEGIN
      DELETE FROM turn_events WHERE (owner_id, turn_id, id) IN (
        SELECT log.owner_id, log.turn_id, log.id FROM turn_events AS log
          JOIN turns ON turns.owner_id = log.owner_id AND turns.id = log.turn_id
         WHERE turns.finished_at < a_day_ago LIMIT at_most);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= at_most;
      DELETE FROM idempotency_keys WHERE (owner_id, key) IN (
        SELECT old.owner_id, old.key FROM idempotency_keys AS old WHERE old.created_at < a_day_ago LIMIT at_most);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= at_most;
      DELETE FROM conversations WHERE (owner_id, id) IN (
        SELECT old.owner_id, old.id FROM conversations AS old
         WHERE old.temporary AND old.updated_at < a_day_ago AND NOT EXISTS (
           SELECT FROM turns WHERE turns.owner_id = old.owner_id AND turns.conversation_id = old.id
              AND turns.status IN ('queued', 'running'))
         LIMIT few);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= few;
      DELETE FROM attachments WHERE (owner_id, id) IN (
        SELECT old.owner_id, old.id FROM attachments AS old
         WHERE old.message_id IS NULL AND old.created_at < a_day_ago LIMIT few)
        AND message_id IS NULL;
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= few;
      DELETE FROM file_import_parts WHERE (owner_id, import_id, place) IN (
        SELECT old.owner_id, old.import_id, old.place FROM file_import_parts AS old WHERE old.created_at < a_day_ago LIMIT few);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= few;
      DELETE FROM model_calls WHERE (owner_id, id) IN (
        SELECT old.owner_id, old.id FROM model_calls AS old WHERE old.created_at < now() - interval '400 days' LIMIT at_most);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      is_more := is_more OR deleted >= at_most;
      DELETE FROM system.request_counts WHERE minute < now() - interval '2 minutes';
      RETURN is_more;
    END
  $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION system.append_to_logs(uuid, jsonb), system.keep_leases(uuid, uuid[]), system.delete_expired(integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION system.append_to_logs(uuid, jsonb), system.keep_leases(uuid, uuid[]), system.delete_expired(integer) TO pai_app;
--> statement-breakpoint
SET LOCAL ROLE pai_owner;
