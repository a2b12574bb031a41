-- How the broker's streams stood when somebody looked: one that is another, or ends earlier, has lost what it had stored.
create table broker_stream (
  name          text primary key,
  id            text not null,
  last_sequence bigint not null,
  losses        integer not null default 0
);

-- What the cursors know already.
insert into broker_stream (name, id, last_sequence)
select 'mailbox', stream, cursor from partition where stream <> '' order by cursor desc limit 1;

-- What the broker may have lost of each partition, and how far it has been published again. A row that is due has `up_to`.
create table redrive (
  partition    integer primary key,
  -- Up to here all that the turns have sent and called for is known to have been taken, for good.
  settled      bigint not null default 0,
  -- Null until it begins.
  position     bigint,
  up_to        bigint,
  events_since timestamptz,
  round        integer not null default 0,
  due_at       timestamptz
);
