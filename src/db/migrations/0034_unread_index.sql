-- Each fact wrote it, and nothing reads it: facts are found by their key.
drop index facts_object;
