// Row types for Kysely, one entry per table. Kept beside the migrations: a column added there is added here.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Tables {}
