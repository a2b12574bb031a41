-- The keys of requests that go to many actors: who claims one first decides which body it stands for.
create table request_key (
  id         uuid primary key,
  digest     text not null,
  claimed_at timestamptz not null
);

-- Finds what is old enough to go.
create index request_key_claimed on request_key (claimed_at);
