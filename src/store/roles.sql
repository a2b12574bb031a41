-- A group for each kind of process, with what it needs and no more. `turnstile migrate --grants` runs this as the owner of the
-- tables, who must be allowed to make roles; it may be run again, and has to be after a migration that brings new tables. Logins
-- are whoever runs the installation's: create role worker_1 login password '…' in role turnstile_worker.
--
-- The journal is `turn`: nobody but the eraser may write over it, and nobody but the archiver may delete from it.

do $$
declare
  name text;
begin
  foreach name in array array['ingress', 'worker', 'effects', 'projector', 'operator', 'archiver', 'eraser'] loop
    name := 'turnstile_' || name;
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
    execute format('revoke all on all tables in schema public from %I', name);
    execute format('revoke all on all functions in schema public from %I', name);
    execute format('grant usage on schema public to %I', name);
  end loop;
end $$;

-- Whether the schema is the right one, the number of partitions, and whether the database answers.
grant select on migration, partition, worker
  to turnstile_ingress, turnstile_worker, turnstile_effects, turnstile_projector, turnstile_operator, turnstile_archiver, turnstile_eraser;

-- Every process counts what is open and what fails, for its metrics.
grant select (code, status) on dead_letter to turnstile_projector;
grant select (service) on failing_call to turnstile_worker, turnstile_projector;

-- Looks things up, and claims the keys of requests.
grant select on turn, actor, dead_letter, failing_call, tickets, shows, bookings, ops_bookings, archive_file
  to turnstile_ingress;
grant select, insert, update, delete on request_key to turnstile_ingress;

-- Takes partitions and commits. A commit that rests on a pause locks its row, for which Postgres asks for the right to change
-- some column.
grant insert, update, delete on worker to turnstile_worker;
grant update on partition to turnstile_worker;
grant select, insert on turn to turnstile_worker;
grant select, insert, update on actor, dead_letter, broker_stream, redrive to turnstile_worker;
grant select, update (name) on pause to turnstile_worker;

-- Notes what fails.
grant select on pause to turnstile_effects;
grant select, insert, update on dead_letter to turnstile_effects;
grant select, insert, update, delete on failing_call to turnstile_effects;

-- Folds the journal, and brings its refunds into the audit log.
grant select on turn to turnstile_projector;
grant select, insert, update on projection, audit_cursor to turnstile_projector;
grant select, insert, update, delete on tickets, shows, bookings, ops_bookings to turnstile_projector;

-- Whoever acts is on record: the trigger says the rest of the row.
grant insert (who, act, subject, reason, details) on audit to turnstile_projector, turnstile_operator, turnstile_eraser;

-- Reads everything, decides about dead letters, pauses, redrives and rebuilds.
grant select on all tables in schema public to turnstile_operator;
grant update on dead_letter to turnstile_operator;
grant insert on dead_letter_version to turnstile_operator;
grant insert, delete on pause to turnstile_operator;
grant insert, update on redrive, projection to turnstile_operator;
grant execute on function begin_rebuild(text), swap_rebuilt(text) to turnstile_operator;

-- Takes turns that lie in files out of the journal, and has redrives settled as far as that.
grant select, delete on turn to turnstile_archiver;
grant select, insert, update on archive_file, redrive to turnstile_archiver;
grant select, update on actor, partition to turnstile_archiver;
grant select on dead_letter, projection to turnstile_archiver;

-- Writes over whatever names a customer, in every table but those of the audit log.
grant select, update on all tables in schema public to turnstile_eraser;
revoke update on audit, audit_head, migration, projection, audit_cursor from turnstile_eraser;

revoke execute on function begin_rebuild(text), swap_rebuilt(text), chain_audit() from public;
