-- The journal: a row for each turn, only ever inserted. json and not jsonb: it is written often and searched never, and
-- writes a tenth less WAL.
create table turn (
  partition  integer not null,
  position   bigint not null,
  kind       text not null,
  actor_id   uuid not null,
  version    bigint not null,
  message_id uuid not null,
  at         timestamptz not null,
  message    json not null,
  meta       json not null,
  decision   json not null,
  primary key (partition, position),
  -- Finds all turns of an actor, and refuses a message that has had its turn.
  constraint turn_message unique (partition, actor_id, kind, message_id)
);

-- The last state of each actor: the fold of its journal, so that a load is one lookup.
create table actor (
  partition integer not null,
  kind      text not null,
  id        uuid not null,
  version   bigint not null,
  state     json not null,
  primary key (partition, kind, id)
) with (fillfactor = 70);

create table dead_letter (
  partition  integer not null,
  message_id uuid not null,
  kind       text not null,
  -- Text, because an id that is no UUID may be what is wrong with the message.
  actor_id   text not null,
  -- A digest of kind and id, because wrong ones may be longer than a key can be.
  recipient  text not null generated always as (md5(kind || ' ' || actor_id)) stored,
  type       text not null,
  code       text not null,
  cause      text not null,
  stack      text,
  payload    bytea not null,
  headers    json not null,
  meta       json not null,
  at         timestamptz not null,
  attempts   integer not null,
  first_at   timestamptz not null,
  last_at    timestamptz not null,
  primary key (partition, message_id, recipient)
);
