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
