-- What operators hold back: one actor (its name is kind.id), all actors of a kind, or the calls of a service. A commit that
-- sets messages aside because of a pause locks its row, so once the row is gone nothing more is set aside.
create table pause (
  target text not null constraint pause_target check (target in ('actor', 'kind', 'service')),
  name   text not null,
  since  timestamptz not null,
  who    text not null,
  reason text not null,
  primary key (target, name)
);

-- Who paused and resumed what, and why: a row for each act, only ever inserted.
create table pause_audit (
  id     bigint generated always as identity primary key,
  at     timestamptz not null,
  who    text not null,
  act    text not null constraint pause_act check (act in ('pause', 'resume')),
  target text not null,
  name   text not null,
  reason text
);

-- Finds and counts what waits for a resume: of a kind, and of an actor.
create index dead_letter_paused on dead_letter (kind, recipient) where code = 'actor-paused' and status = 'open';
