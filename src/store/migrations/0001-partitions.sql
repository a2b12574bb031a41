-- Every key begins with the partition, so that the tables can be spread over several databases by it.
-- Nothing else than the key is indexed in the tables that are updated, and their pages are left partly empty: so an
-- update stays on its page and touches no index (a HOT update).

create table partition (
  id        integer primary key,
  -- Rises with every change of owner: a commit that names an earlier one is refused.
  epoch     integer not null default 0,
  owner     text,
  -- The last sequence of the mailbox stream whose turn is committed, and the stream that it counts in.
  cursor    bigint not null default 0,
  stream    text not null default '',
  -- The position of the last turn, and of the last one whose consequences the broker has stored.
  head      bigint not null default 0,
  published bigint not null default 0
) with (fillfactor = 10);

-- A partition is held as long as its owner's lease lasts. One row for each worker, not one for each partition, so that
-- the heartbeat does not wait for the commits that lock the partitions, nor they for it.
create table worker (
  id          text primary key,
  lease_until timestamptz not null,
  lag         bigint not null
) with (fillfactor = 10);
