-- Bookings that were made before there were deadlines wait for their tickets like any other: a quarter of an hour, as their
-- upcast journal says.
update actor
set wake_at = (state ->> 'requested_at')::timestamptz + interval '15 minutes',
  wake_meta = json_build_object('correlationId', id)
where kind = 'booking' and wake_at is null and state ->> 'deadline_at' is null
  and (state ->> 'status' = 'reserving'
    or state ->> 'status' = 'made' and (state ->> 'number_of_tickets')::int > (
      select count(*) from json_object_keys(state -> 'tickets')));

update partition
set armed = (select count(*) from actor where actor.partition = partition.id and wake_at is not null);
