-- A thin event names its object by a path, too: by that alone are kinds found that have no route by their id, such as cards.
alter table stripe_fetches add column path text;
