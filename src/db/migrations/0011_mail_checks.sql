-- What a mail is checked against before it is sent, why one was dropped, and how a failed one is tried again.

-- A check is a name of this program's and what it is about; null: the mail is true whenever it is sent.
alter table mails
  add column check_name      text,
  add column check_reference jsonb,
  add column dropped_because text check (dropped_because in ('late', 'no_longer_true')),
  add constraint mails_check_whole check ((check_name is null) = (check_reference is null));
create index mails_recipient on mails (recipient, id desc);

-- Attempts that were made before an operator asked for another round: only later ones count towards the last.
alter table mail_queue add column attempts_before smallint not null default 0;

alter table mail_attempts
  drop constraint mail_attempts_outcome_check,
  add constraint mail_attempts_outcome_check check (outcome in ('sent', 'refused', 'retry', 'dropped'));
