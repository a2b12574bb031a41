-- Old turns of actors that have ended lie in files: docs/decisions/0016-old-turns-lie-in-files.md.

-- Of whom turns are archived: so many, its first ones; and what was sent to it before that time had all been taken.
alter table actor
  add column archived_version bigint,
  add column archived_before timestamptz;

-- A row for each file, from when all of it is on the disk: from then on its turns may go from the journal.
create table archive_file (
  partition      integer not null,
  name           text not null,
  folder         text not null,
  turns          integer not null,
  first_actor    uuid not null,
  last_actor     uuid not null,
  last_position  bigint not null,
  sha256         text not null,
  -- Where in the file which actors are.
  blocks         json not null,
  settled_before timestamptz not null,
  -- Until then some of its turns may still be in the journal too.
  is_dropped     boolean not null default false,
  primary key (partition, name)
);

-- By default a table is vacuumed when a fifth of it is dead, or new: of a hundred million rows that is twenty million, and the
-- room of archived turns would come back years later. Nor may a vacuum give a file's end back to the disk: it would lock the
-- table for that, and every commit needs these.
alter table turn set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_vacuum_cost_limit = 1000, vacuum_truncate = off);
alter table actor set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_cost_limit = 1000, vacuum_truncate = off);
alter table partition set (vacuum_truncate = off);
alter table projection set (vacuum_truncate = off);
alter table worker set (vacuum_truncate = off);
