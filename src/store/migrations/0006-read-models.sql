-- Read models are made from the journal and can be made again from it. Each is a table of its own, all of one shape: what
-- is known of one actor, under the partition that it lives in. What is searched by is generated from the fields.

-- How far each of them has come: every turn up to this position is in it, once.
create table projection (
  partition integer not null,
  name      text not null,
  position  bigint not null,
  primary key (partition, name)
) with (fillfactor = 10);

-- The tickets that are confirmed and neither canceled nor refunded.
create table tickets (
  partition integer not null,
  kind      text not null,
  id        uuid not null,
  fields    json not null,
  primary key (partition, kind, id)
) with (fillfactor = 85);

create table shows (
  partition integer not null,
  kind      text not null,
  id        uuid not null,
  fields    json not null,
  primary key (partition, kind, id)
) with (fillfactor = 50);

create table bookings (
  partition integer not null,
  kind      text not null,
  id        uuid not null,
  fields    json not null,
  show_id   uuid not null generated always as ((fields ->> 'show_id')::uuid) stored,
  primary key (partition, kind, id)
) with (fillfactor = 85);

create index bookings_show on bookings (show_id, partition, id);

-- A row for each booking that was made, and one for each ticket that names a booking: tickets live in other partitions
-- than their bookings, and are joined to them when they are read.
create table ops_bookings (
  partition   integer not null,
  kind        text not null,
  id          uuid not null,
  fields      json not null,
  booking_id  uuid not null generated always as ((fields ->> 'booking_id')::uuid) stored,
  receipt_day text generated always as (nullif(left(fields ->> 'receipt_issued_at', 10), '0001-01-01')) stored,
  primary key (partition, kind, id)
) with (fillfactor = 70);

create index ops_bookings_booking on ops_bookings (booking_id);
create index ops_bookings_receipt_day on ops_bookings (receipt_day, booking_id) where receipt_day is not null;

-- Makes an empty twin of a read model, in place of one that an earlier rebuild has left behind.
create function begin_rebuild(name text) returns void language plpgsql as $$
declare
  shadow text := name || '_rebuild';
begin
  execute format('drop table if exists %I', shadow);
  execute format('create table %I (like %I including all)', shadow, name);
  execute format('alter table %I set (%s)', shadow,
    (select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass(quote_ident(name))));
  delete from projection where projection.name = shadow;
  insert into projection (partition, name, position) select partition.id, shadow, 0 from partition;
end $$;

-- Puts the twin in the place of the read model, with its positions, unless it is behind anywhere: readers never see it go
-- back. The table is locked before the positions, as by every statement that writes to it. Who waits for a reader makes
-- all that come after wait too, so that is not done for long.
create function swap_rebuilt(name text) returns boolean language plpgsql as $$
declare
  shadow text := name || '_rebuild';
begin
  perform set_config('lock_timeout', '200', true);
  execute format('lock table %I in access exclusive mode', name);
  perform from projection where projection.name in (swap_rebuilt.name, shadow) order by partition, projection.name for update;
  if exists (
    select from projection as live
    left join projection as rebuilt on rebuilt.partition = live.partition and rebuilt.name = shadow
    where live.name = swap_rebuilt.name and rebuilt.position is distinct from greatest(live.position, rebuilt.position)
  ) then
    return false;
  end if;
  execute format('drop table %I', name);
  execute format('alter table %I rename to %I', shadow, name);
  delete from projection where projection.name = swap_rebuilt.name;
  update projection set name = swap_rebuilt.name where projection.name = shadow;
  return true;
exception when lock_not_available then
  return false;
end $$;
