// Why a backup cannot be used, on one page: each with the sentence that says what to do.

const SENTENCES = {
  not_a_backup: "This is no backup of Billhook, or its beginning was changed: check which file it is.",
  cut_off:
    "The backup ends before its end: it was cut off while it was written or copied. Take another one, or copy it again.",
  changed: "The backup is not as it was written: its checksum does not fit. Copy it again, or take another one.",
  malformed: "The backup has lines that do not fit together: it was changed. Take another one.",
  newer_format:
    "The backup was made by a newer Billhook, in a form that this one does not know: use that version, or a newer one.",
  newer_schema:
    "The backup was made by a newer Billhook, whose tables this one does not know: use that version, or a newer one.",
  other_schema:
    "The backup was made by another build of Billhook, whose migrations differ: use the build that made it.",
  other_key:
    "The backup was made with another SECRET_KEY: signing secrets of webhook endpoints could not be opened, and nobody could sign in with what it holds. Set SECRET_KEY to the one of that time (or put its file `secret-key` into DATA_DIR), or give --any-key to go on without.",
  no_key:
    "There is no secret key here, and the backup needs the one it was made with: set SECRET_KEY to it, or put its file `secret-key` into DATA_DIR; or give --any-key to go on without.",
  not_loaded: "What was written into the database is not what the backup holds: nothing was kept of it.",
} as const;

export type BackupFailureCode = keyof typeof SENTENCES;

export class BackupFailure extends Error {
  override readonly name = "BackupFailure";
  readonly code: `backup_${BackupFailureCode}`;

  constructor(code: BackupFailureCode, detail: string | undefined, cause: unknown) {
    super(
      detail === undefined ? SENTENCES[code] : `${SENTENCES[code]} ${detail}`,
      cause === undefined ? {} : { cause },
    );
    this.code = `backup_${code}`;
  }
}

export function failedBackup(code: BackupFailureCode, cause?: unknown, detail?: string): BackupFailure {
  return new BackupFailure(code, detail, cause);
}
