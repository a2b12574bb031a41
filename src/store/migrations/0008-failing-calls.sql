-- Calls of external services that fail and are tried again: whoever looks at an actor sees what it waits for. A row goes when
-- its call is done or refused; one that is given up on is a dead letter instead.
create table failing_call (
  partition integer not null,
  kind      text not null,
  actor_id  uuid not null,
  effect_id uuid not null,
  service   text not null,
  request   json not null,
  attempts  integer not null,
  cause     text not null,
  at        timestamptz not null,
  -- Finds one effect's row, and all of an actor.
  primary key (partition, actor_id, effect_id)
) with (fillfactor = 70);

-- Finds those of an actor.
create index dead_letter_recipient on dead_letter (partition, recipient);
