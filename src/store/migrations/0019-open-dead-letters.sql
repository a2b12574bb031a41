-- Counts those that are open, by their code: there are few of them, and many that were settled long ago.
create index dead_letter_open on dead_letter (code) where status = 'open';
