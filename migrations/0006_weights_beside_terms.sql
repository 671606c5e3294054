-- A search by words reads the weights from the key's index alone: in the table each lies on another page.
ALTER TABLE memory_terms DROP CONSTRAINT memory_terms_owner_id_term_id_pk,
  ADD CONSTRAINT memory_terms_owner_id_term_id_pk PRIMARY KEY (owner_id, term, id) INCLUDE (weight);
--> statement-breakpoint
ALTER TABLE message_terms DROP CONSTRAINT message_terms_owner_id_term_id_pk,
  ADD CONSTRAINT message_terms_owner_id_term_id_pk PRIMARY KEY (owner_id, term, id) INCLUDE (weight);
