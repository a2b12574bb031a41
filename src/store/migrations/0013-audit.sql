-- Not beside earlier versions: their operators' commands write to the tables that this takes away; their daemons do not.
--
-- Who did what, to what, and why: one log of all that operators do and of all refunds. Rows are only ever inserted, and each
-- holds the hash of the one before it and of its own content, so that a row that is changed, taken out or moved is found out.
-- It never holds a customer's data, which must be erasable: docs/decisions/0014-the-audit-log-is-one-chain.md.
create table audit (
  -- 1, 2, 3 … without a gap.
  seq      bigint primary key,
  at       timestamptz not null,
  who      text not null,
  act      text not null,
  -- What it was done to: a word and a name.
  subject  text not null,
  -- No address: a customer must be erasable, and this is not.
  reason   text constraint audit_reason check (reason !~ '\S@\S'),
  details  json not null,
  -- Hexadecimal SHA-256: the hash of the row before, and of this one.
  previous text not null,
  hash     text not null
);

-- Finds what was done to one thing.
create index audit_subject on audit (subject, seq);

-- The last row. Beside the log, so that one whose end was cut off is found out.
create table audit_head (
  id   integer primary key default 1 check (id = 1),
  seq  bigint not null,
  hash text not null
);
insert into audit_head (seq, hash) values (0, repeat('0', 64));

-- Appends are serialised by the head's row. With the rights of the owner, so that nobody else needs any at the head: whoever
-- may insert says who, what and why, and has no say in the rest.
create function chain_audit() returns trigger language plpgsql security definer set search_path from current as $$
declare
  head audit_head;
begin
  select * into head from audit_head for update;
  new.seq := head.seq + 1;
  new.at := coalesce(new.at, clock_timestamp());
  new.previous := head.hash;
  -- src/store/audit-chain.ts computes the same.
  new.hash := encode(sha256(convert_to(json_build_array(new.previous, new.seq,
    to_char(new.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), new.who, new.act, new.subject, new.reason,
    new.details::text)::text, 'UTF8')), 'hex');
  update audit_head set seq = new.seq, hash = new.hash;
  return new;
end $$;

create trigger chain_audit before insert on audit for each row execute function chain_audit();

-- What was done before there was one log. What looks like an address in a reason is left out.
insert into audit (at, who, act, subject, reason, details)
select at, who, act, subject, regexp_replace(reason, '\S+@\S+', '(an address)', 'g'), details
from (
  select at, who, act, 'dead letter ' || message_id as subject, reason, json_build_object('partition', partition,
    'revision', revision, 'before', encode(sha256(convert_to(before::text, 'UTF8')), 'hex')) as details
  from dead_letter_audit
  union all
  select at, who, act, target || ' ' || name, reason, '{}' from pause_audit
) as earlier
order by at;

drop table pause_audit;

-- What stays beside the log: the whole letter before each act, which may hold anything.
alter table dead_letter_audit drop column at, drop column who, drop column act, drop column reason;
alter table dead_letter_audit rename to dead_letter_version;

-- How far each partition's refunds are in the log.
create table audit_cursor (
  partition integer primary key,
  position  bigint not null
) with (fillfactor = 10);

-- A rebuild makes, drops and renames tables, which is the owner's right alone. The functions have it from now on, for whoever
-- may call them, and for nothing but read models. The twin is the caller's to fill; when it takes the place of the read model,
-- whoever had a right at that has the same at it.
create or replace function begin_rebuild(name text) returns void language plpgsql security definer set search_path from current as $$
declare
  shadow text := name || '_rebuild';
begin
  perform check_read_model(name);
  execute format('drop table if exists %I', shadow);
  execute format('create table %I (like %I including all)', shadow, name);
  execute format('alter table %I set (%s)', shadow,
    (select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass(quote_ident(name))));
  execute format('grant select, insert, update, delete on %I to %I', shadow, session_user);
  delete from projection where projection.name = shadow;
  insert into projection (partition, name, position) select partition.id, shadow, 0 from partition;
end $$;

create or replace function swap_rebuilt(name text) returns boolean language plpgsql security definer set search_path from current as $$
declare
  shadow text := name || '_rebuild';
  granted record;
begin
  perform check_read_model(name);
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
  if session_user <> current_user then
    execute format('revoke all on %I from %I', shadow, session_user);
  end if;
  for granted in
    select grantee::regrole as role, privilege_type as privilege
    from pg_class cross join aclexplode(relacl)
    where oid = to_regclass(quote_ident(name)) and grantee <> relowner and grantee <> 0
  loop
    execute format('grant %s on %I to %s', granted.privilege, shadow, granted.role);
  end loop;
  execute format('drop table %I', name);
  execute format('alter table %I rename to %I', shadow, name);
  delete from projection where projection.name = swap_rebuilt.name;
  update projection set name = swap_rebuilt.name where projection.name = shadow;
  return true;
exception when lock_not_available then
  return false;
end $$;

-- By its shape: no other table has `fields`.
create function check_read_model(name text) returns void language plpgsql as $$
begin
  if not exists (
    select from pg_attribute where attrelid = to_regclass(quote_ident(name)) and attname = 'fields' and not attisdropped
  ) then
    raise exception '% is no read model', name;
  end if;
end $$;
