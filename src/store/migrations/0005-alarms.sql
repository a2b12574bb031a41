-- When the actor wants to be told that time has passed, and whose story that belongs to. On the actor's own row: an alarm
-- is set, moved and canceled with the state that wants it, by the same statement.
alter table actor
  add column wake_at timestamptz,
  add column wake_meta json;

-- Only those that wait for something are in it. An update that leaves the alarm alone touches no index still.
create index actor_wake on actor (partition, wake_at) where wake_at is not null;

-- How many alarms are set: counted by the commits, as nobody wants to count a million rows.
alter table partition add column armed bigint not null default 0;
