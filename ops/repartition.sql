-- Spreads the actors over another number of partitions, while nothing runs. docs/deploy.md has the steps before and after:
--
--     psql "$POSTGRES_URL" --single-transaction --set ON_ERROR_STOP=1 --set partitions=128 --file ops/repartition.sql
--
-- All of it or nothing. It needs as much free disk as the journal has, and the rights of the tables' owner.

create temporary table target as select :partitions::integer as partitions;

do $$
declare
  known text[] := array['partition', 'turn', 'actor', 'dead_letter', 'dead_letter_audit', 'failing_call', 'projection', 'redrive',
    'tickets', 'shows', 'bookings', 'ops_bookings'];
  unknown text;
begin
  select string_agg(table_name, ', ') into unknown from information_schema.columns
  where table_schema = current_schema() and column_name = 'partition' and table_name <> all (known);
  if unknown is not null then raise exception 'this script does not know how to spread %', unknown; end if;
  if not (select partitions between 1 and 512 from target) then raise exception 'partitions must be from 1 to 512'; end if;
  if exists (select from worker where lease_until > now()) then raise exception 'a worker is alive: stop all of them'; end if;
  if exists (select from partition where published < head) then
    raise exception 'not all turns are told: start a worker, wait until published is head in every row of partition, and stop it';
  end if;
  if exists (select from redrive where up_to is not null) then raise exception 'a redrive is under way: let it end'; end if;
  if exists (
    select from projection join partition on partition.id = projection.partition where projection.position < partition.head
  ) then
    raise exception 'a read model lags behind: see turnstile projections, and let the projector catch up';
  end if;
end $$;

-- FNV-1a, as the broker and the daemon have it.
create function pg_temp.home(id text) returns integer language plpgsql immutable as $$
declare
  bytes bytea := convert_to(id, 'UTF8');
  hash bigint := 2166136261;
begin
  for i in 0 .. length(bytes) - 1 loop
    hash := ((hash # get_byte(bytes, i)) * 16777619) & 4294967295;
  end loop;
  return hash % (select partitions from target);
end $$;

create temporary table home as select kind, id, pg_temp.home(id::text) as partition from actor;
-- Those of whom there are turns but no row: a first message that was refused, say.
insert into home
select distinct kind, actor_id, pg_temp.home(actor_id::text) from turn
where not exists (select from actor where actor.kind = turn.kind and actor.id = turn.actor_id);
create unique index on home (kind, id);
analyze home;

-- By time as far as the old journals tell it, and in each of them in its own order: no actor's turns change places.
create temporary table moved as
select turn.*, home.partition as new_partition, row_number() over (
  partition by home.partition order by turn.reached, turn.partition, turn.position) as new_position
from (select *, max(at) over (partition by partition order by position) as reached from turn) as turn
join home on home.kind = turn.kind and home.id = turn.actor_id;
update moved set partition = new_partition, position = new_position;
alter table moved drop column new_partition, drop column new_position, drop column reached;
truncate turn;
insert into turn select * from moved;

update actor set partition = home.partition from home where home.kind = actor.kind and home.id = actor.id;
update failing_call set partition = pg_temp.home(actor_id::text);
update dead_letter_audit as audit set partition = pg_temp.home(letter.actor_id) from dead_letter as letter
where letter.message_id = audit.message_id and letter.partition = audit.partition;
update dead_letter set partition = pg_temp.home(actor_id);
update tickets set partition = pg_temp.home(id::text);
update shows set partition = pg_temp.home(id::text);
update bookings set partition = pg_temp.home(id::text);
update ops_bookings set partition = pg_temp.home(id::text);

-- Cursors count in a stream that is going to be made anew; an epoch is never used twice.
create temporary table fresh as
select number.id, (select max(epoch) + 1 from partition) as epoch,
  (select count(*) from turn where turn.partition = number.id) as head,
  (select count(*) from actor where actor.partition = number.id and wake_at is not null) as armed
from target, generate_series(0, target.partitions - 1) as number (id);
delete from partition;
insert into partition (id, epoch, head, published, armed) select id, epoch, head, head, armed from fresh;
create temporary table read_model as select distinct name from projection;
delete from projection;
insert into projection (partition, name, position) select fresh.id, read_model.name, fresh.head from fresh, read_model;
delete from redrive;
