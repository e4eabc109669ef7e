// From whatever a request ended with (ours, Fastify's, Zod's, the database's) to the error that the caller may see. Pure.
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";

import { asPublicError, PublicError, publicError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { databaseFailure, isStatementsFault } from "../db/failure.ts";

/** Fastify's codes; its other 4xx are `invalid_request`. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_JSON_BODY: "invalid_json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_json",
  FST_ERR_NOT_FOUND: "not_found",
};

export function requestError(thrown: unknown): PublicError {
  if (thrown instanceof PublicError) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) return validationError(thrown);
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (typeof code === "string" && code in FASTIFY_CODES) {
    return publicError(FASTIFY_CODES[code] ?? "invalid_request", { cause: thrown });
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return publicError("invalid_request", { cause: thrown });
  }
  if (thrown instanceof Error && (databaseFailure(thrown) !== "content" || isStatementsFault(thrown))) {
    return publicError("storage_unavailable", { message: "The database does not answer: try again.", cause: thrown });
  }
  return asPublicError(thrown);
}

interface Issue {
  instancePath: string;
  message?: string | undefined;
  params: Record<string, unknown>;
}

/** Names the first field that is wrong, by its path. */
function validationError(thrown: { validation: unknown[]; validationContext?: string | undefined }): PublicError {
  const issue = thrown.validation[0] as Issue;
  const unknown = issue.params.keys;
  const path = issue.instancePath.slice(1).split("/").filter(Boolean);
  if (Array.isArray(unknown) && unknown.length > 0) path.push(String(unknown[0]).slice(0, 100));
  const param = path.join(".");
  const place = thrown.validationContext === "querystring" ? "query parameter" : "field";
  const message = Array.isArray(unknown)
    ? `There is no ${place} \`${param}\`: leave it out, or check its name.`
    : `${param === "" ? "The request" : `\`${param}\``} is not valid: ${sentence(issue.message ?? "check it")}`;
  return publicError("invalid_request", { message, ...(param === "" ? {} : { param }) });
}

function sentence(text: string): string {
  const first = text.charAt(0).toLowerCase() + text.slice(1);
  return first.endsWith(".") ? first : `${first}.`;
}
