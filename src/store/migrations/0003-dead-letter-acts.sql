-- What became of a dead letter. Its revision rises with every failure and every act, so that nobody decides about a letter
-- that is no longer what they looked at.
alter table dead_letter
  add column status text not null default 'open' constraint dead_letter_status check (status in ('open', 'requeued', 'discarded')),
  add column revision integer not null default 1;

create index dead_letter_message on dead_letter (message_id);

-- Who did what to a dead letter, and why: a row for each act, only ever inserted.
create table dead_letter_audit (
  partition  integer not null,
  message_id uuid not null,
  -- The letter's, before the act.
  revision   integer not null,
  at         timestamptz not null,
  who        text not null,
  act        text not null constraint dead_letter_act check (act in ('requeue', 'edit', 'discard')),
  reason     text,
  -- The whole letter before the act; its payload in hexadecimal, as Postgres writes bytea.
  before     json not null,
  primary key (partition, message_id, revision)
);
