// The types of every route of Billhook's API. Written by `npm run generate` from docs/openapi.json: do not edit.

/** Every `code` of an error; a later server may know more. */
export type ErrorCode =
  | "invalid_request"
  | "invalid_json"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "body_too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "headers_too_large"
  | "credentials_invalid"
  | "sign_in_link_invalid"
  | "refresh_token_invalid"
  | "one_time_token_invalid"
  | "password_weak"
  | "email_taken"
  | "tenant_required"
  | "already_member"
  | "last_owner"
  | "confirmation_required"
  | "idempotency_key_required"
  | "idempotency_key_reused"
  | "idempotency_key_in_use"
  | "insufficient_credits"
  | "purchase_decided"
  | "key_taken"
  | "external_id_taken"
  | "subscription_exists"
  | "subscription_unchangeable"
  | "mail_not_retriable"
  | "webhook_not_configured"
  | "endpoint_limit"
  | "first_endpoint"
  | "too_many_secrets"
  | "endpoint_disabled"
  | "delivery_not_retriable"
  | "recovery_running"
  | "recovery_ended"
  | "signature_missing"
  | "signature_malformed"
  | "signature_stale"
  | "signature_mismatch"
  | "not_a_stripe_event"
  | "stripe_not_configured"
  | "connect_client_id_missing"
  | "connect_state_invalid"
  | "connect_refused"
  | "stripe_already_connected"
  | "stripe_account_taken"
  | "platform_account"
  | "stripe_not_connected"
  | "stripe_account_restricted"
  | "card_declined"
  | "stripe_refused"
  | "stripe_permission_denied"
  | "stripe_rate_limited"
  | "stripe_unreachable"
  | "invoice_being_made"
  | "invoice_not_open"
  | "stripe_conflict"
  | "event_in_progress"
  | "replay_in_progress"
  | "rebuild_in_progress"
  | "not_movable"
  | "move_in_progress"
  | "move_ended"
  | "moving"
  | "moved"
  | "internal"
  | "overloaded"
  | "storage_unavailable"
  | "stopping";

/** Which operations take an Idempotency-Key: they may be sent again. */
export const IDEMPOTENT: ReadonlySet<string> = new Set([
  "POST /api/v1/auth/tenants/",
  "POST /api/v1/auth/tenants/members/",
  "POST /api/v1/auth/tenants/webhooks/config/",
  "POST /api/v1/webhook-endpoints/",
  "POST /api/v1/webhook-endpoints/{id}/rotate-secret/",
  "POST /api/v1/webhook-endpoints/{id}/recover/",
  "POST /accounts/invoices/",
  "POST /accounts/invoices/{id}/void/",
  "POST /accounts/invoices/{id}/send/",
  "POST /account/purchase-credits/",
  "POST /account/subscription/",
  "POST /account/subscription/cancel/",
  "POST /account/subscription/resume/",
  "POST /account/subscription/change-plan/",
  "POST /account/billing-portal/",
  "POST /account/payment-method/",
  "POST /api/v1/payments/{id}/refund/",
  "POST /api/v1/accounts/",
  "POST /api/v1/accounts/{id}/credits/spend/",
  "POST /api/v1/accounts/{id}/credits/grant/",
  "POST /api/v1/accounts/{id}/credits/refund/",
  "POST /api/v1/credit-packs/",
  "POST /api/v1/plans/",
  "POST /api/v1/admin/unmatched-purchases/{id}/assign/",
  "POST /api/v1/admin/unmatched-purchases/{id}/dismiss/",
]);

export interface paths {
    "/stripe/webhook/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take an event from Stripe */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "success";
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/stripe-webhook/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take an event from Stripe (second address) */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "success";
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/stripe/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take an event from Stripe (third address) */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "success";
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ok";
                            version: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process can work: database reachable, schema current */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            ready: boolean;
                            checks: {
                                [key: string]: string;
                            };
                        };
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            ready: boolean;
                            checks: {
                                [key: string]: string;
                            };
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics for Prometheus */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Prometheus' text format. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This reference as a page */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A page for people. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This reference as an OpenAPI document */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            openapi: string;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys that access tokens are signed with */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            keys: {
                                [key: string]: string;
                            }[];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/register/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Register a tenant and its first owner */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        company_name: string;
                        domain: string;
                        email: string;
                        /** @description At least 10 characters, none of the common ones. */
                        password: string;
                        name?: string;
                        /**
                         * @description For browsers: the refresh token goes into an HttpOnly cookie, not into the body.
                         * @default false
                         */
                        cookie?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            tenant: components["schemas"]["Tenant"];
                            /** @description The only time that the secret ones are shown whole. */
                            api_keys: {
                                live_public: string;
                                live_secret: string;
                                test_public: string;
                                test_secret: string;
                            };
                            webhook_secret: string;
                            user: components["schemas"]["User"];
                            tokens: components["schemas"]["Tokens"];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make another tenant, as its owner */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        company_name: string;
                        domain: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            tenant: components["schemas"]["Tenant"];
                            /** @description The only time that the secret ones are shown whole. */
                            api_keys: {
                                live_public: string;
                                live_secret: string;
                                test_public: string;
                                test_secret: string;
                            };
                            webhook_secret: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/register/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Register a person */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        email: string;
                        /** @description At least 10 characters, none of the common ones. */
                        password: string;
                        name?: string;
                        /**
                         * @description For browsers: the refresh token goes into an HttpOnly cookie, not into the body.
                         * @default false
                         */
                        cookie?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** Format: idn-email */
                        email: string;
                        /** @description At least 10 characters, none of the common ones. */
                        password: string;
                        /**
                         * @description For browsers: the refresh token goes into an HttpOnly cookie, not into the body.
                         * @default false
                         */
                        cookie?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sign-in-link/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in by the link that a start prints */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                        /**
                         * @description For browsers: the refresh token goes into an HttpOnly cookie, not into the body.
                         * @default false
                         */
                        cookie?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on with a session; each refresh token works once */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            /** @description Without `refresh` the cookie's token is taken. */
            requestBody?: {
                content: {
                    "application/json": {
                        refresh?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a session */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            /** @description Without `refresh` the cookie's token is taken. */
            requestBody?: {
                content: {
                    "application/json": {
                        refresh?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List where the own person is signed in */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["OpenSession"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of the own sessions */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/forgot/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a link to a new password */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** Format: idn-email */
                        email: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/reset/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Choose a new password by a mailed link */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                        /** @description At least 10 characters, none of the common ones. */
                        password: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/change/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change the own password */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description At least 10 characters, none of the common ones. */
                        current_password: string;
                        /** @description At least 10 characters, none of the common ones. */
                        new_password: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/email/verify/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Verify an address by a mailed link */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/email/resend/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mail the link that verifies the address again */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve the own account, with its tenants and roles */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the own account */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/auth/tenants/members/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List members and open invitations */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Member"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Invite somebody by mail */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        email: string;
                        /**
                         * @default member
                         * @enum {string}
                         */
                        role?: "owner" | "admin" | "member";
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Member"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/members/accept/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation by its token */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                        /** @description Of who has no verified account yet, the one that it is to have; of others their own, or none. */
                        password?: string;
                        name?: string;
                        /** @description For an invitation that names no address: the first operator's. */
                        email?: string;
                        /**
                         * @description For browsers: the refresh token goes into an HttpOnly cookie, not into the body.
                         * @default false
                         */
                        cookie?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            tenant: components["schemas"]["Tenant"];
                            user: components["schemas"]["User"];
                            /** @enum {string} */
                            role: "owner" | "admin" | "member";
                            tokens: components["schemas"]["Tokens"] | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/members/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a member, or take an invitation back */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Message"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /** Change a member's role */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        role: "owner" | "admin" | "member";
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Member"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/auth/tenants/audit-log/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who did what, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["AuditEntry"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/stripe/connect/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to connect a Stripe account */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /**
                         * @description `account_link` makes a Stripe account and leads to its onboarding; `oauth` lets in a Stripe account that is there already; `express_oauth` is OAuth for Express accounts.
                         * @enum {string}
                         */
                        method?: "account_link" | "oauth" | "express_oauth";
                        /** @description Of a new account; the platform's own without it. It cannot be changed later. */
                        country?: string;
                        /**
                         * Format: uri
                         * @description Where the browser goes in the end, with `status` and `code`; of an origin in CORS_ORIGINS.
                         */
                        return_url?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description Where the owner goes now: a page of Stripe's. */
                            url: string;
                            /** @description Comes back from there; works once, within 10 minutes. */
                            state: string;
                            redirect_uri: string;
                            /**
                             * @description `account_link` makes a Stripe account and leads to its onboarding; `oauth` lets in a Stripe account that is there already; `express_oauth` is OAuth for Express accounts.
                             * @enum {string}
                             */
                            method: "account_link" | "oauth" | "express_oauth";
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/stripe/callback/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where Stripe sends people back to: the state says who they are */
        get: {
            parameters: {
                query?: {
                    state?: string;
                    code?: string;
                    error?: string;
                    error_description?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            account_id: string;
                            tenant: {
                                id: string;
                                company_name: string;
                                stripe_connect_account_id: string | null;
                                stripe_connect_status: string;
                            };
                        };
                    };
                };
                /** @description For a browser (`Accept: text/html`): on to the page that `return_url` named, or to the dashboard. */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/stripe/refresh/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where Stripe sends people whose link was used: makes a new one */
        get: {
            parameters: {
                query?: {
                    state?: string;
                    code?: string;
                    error?: string;
                    error_description?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description Where the owner goes now: a page of Stripe's. */
                            url: string;
                            /** @description Comes back from there; works once, within 10 minutes. */
                            state: string;
                            redirect_uri: string;
                            /**
                             * @description `account_link` makes a Stripe account and leads to its onboarding; `oauth` lets in a Stripe account that is there already; `express_oauth` is OAuth for Express accounts.
                             * @enum {string}
                             */
                            method: "account_link" | "oauth" | "express_oauth";
                        };
                    };
                };
                /** @description For a browser (`Accept: text/html`): on to the page that `return_url` named, or to the dashboard. */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/stripe/status/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the tenant's Stripe account stands */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {boolean} */
                            connected: true;
                            account_id: string;
                            /** @enum {string} */
                            status: "pending" | "active" | "restricted";
                            charges_enabled: boolean;
                            payouts_enabled: boolean;
                            requirements: {
                                currently_due: unknown[];
                                eventually_due: unknown[];
                                past_due: unknown[];
                                disabled_reason: string | null;
                            };
                            account_details: {
                                email: string | null;
                                business_type: string | null;
                                country: string | null;
                                default_currency: string | null;
                                details_submitted: boolean;
                            };
                            /** @description False: Stripe did not answer for it now; this is what was known. */
                            refreshed: boolean;
                        } | {
                            /** @enum {boolean} */
                            connected: false;
                            /** @enum {string} */
                            status: "not_connected" | "disconnected";
                            message: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/terms/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The platform's share of the tenant's payments */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnTerms"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/stripe/disconnect/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Disconnect the Stripe account */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            tenant: {
                                id: string;
                                stripe_connect_account_id: null;
                                /** @enum {string} */
                                stripe_connect_status: "disconnected";
                            };
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/api-keys/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List API keys, secret ones masked */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            keys: components["schemas"]["ApiKey"][];
                            warning: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/api-keys/regenerate/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace API keys */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        key_type: "live" | "test" | "all";
                        /** @description Must be `true`. */
                        confirm?: boolean;
                        /**
                         * @description How long the old keys still work.
                         * @default 0
                         */
                        grace_seconds?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            keys: {
                                [key: string]: string;
                            };
                            warning: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/api-keys/revoke/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Revoke API keys at once */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        key_type: "live" | "test" | "all";
                        reason: string;
                        /** @description Must be `true`. */
                        confirm?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            revoked_keys: ("live_public" | "live_secret" | "test_public" | "test_secret")[];
                            reason: string;
                            warning: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/webhooks/config/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve the first webhook endpoint */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            webhook_url: string | null;
                            /** @description As `whsec_****...MnOp`; null: there is none until a URL is set. */
                            webhook_secret: string | null;
                            configured: boolean;
                            instructions: {
                                message: string;
                                signature_header: string;
                                documentation: string;
                            };
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Set the first webhook endpoint's URL */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description https, to a public address. In development loopback addresses are taken too, over http as well. What waits when it changes is delivered to the new one. */
                        webhook_url: string;
                        /**
                         * @description Makes a new secret, and a new ed25519 key where there is one. Deliveries are signed with the old ones too for 24 hours.
                         * @default false
                         */
                        regenerate_secret?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            webhook_url: string;
                            /** @description Whole where it was made by this request, else masked. */
                            webhook_secret: string;
                            test_url: string;
                            /** @description Where a new secret was made. */
                            warning?: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        /** Remove the first webhook endpoint's URL */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            message: string;
                            note: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/tenants/webhooks/test/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a test event, and see what comes back */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        event_type?: string;
                        /** @description Where it is sent. Default: the first endpoint. */
                        endpoint_id?: string;
                        /** @description What `data.object` will be. */
                        test_data?: {
                            [key: string]: unknown;
                        };
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            webhook_url: string;
                            /** @description null: there was no answer. */
                            status_code: number | null;
                            response_time_ms: number;
                            /** @description Its first KiB. */
                            response_body: string | null;
                            event_sent: {
                                [key: string]: unknown;
                            };
                            /** @description As it was sent, with the signatures. No secret is in it. */
                            request: {
                                /** @enum {string} */
                                method: "POST";
                                url: string;
                                headers: {
                                    [key: string]: string;
                                };
                                body: string;
                            };
                            /** @description null: there was no answer. Of its body the first KiB. */
                            response: {
                                status_code: number;
                                headers: {
                                    [key: string]: unknown;
                                };
                                body: string;
                            } | null;
                            message: string;
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            webhook_url: string;
                            /** @description null: there was no answer. */
                            status_code: number | null;
                            response_time_ms: number;
                            /** @description Its first KiB. */
                            response_body: string | null;
                            event_sent: {
                                [key: string]: unknown;
                            };
                            /** @description As it was sent, with the signatures. No secret is in it. */
                            request: {
                                /** @enum {string} */
                                method: "POST";
                                url: string;
                                headers: {
                                    [key: string]: string;
                                };
                                body: string;
                            };
                            /** @description null: there was no answer. Of its body the first KiB. */
                            response: {
                                status_code: number;
                                headers: {
                                    [key: string]: unknown;
                                };
                                body: string;
                            } | null;
                            message: string;
                            /** @enum {boolean} */
                            success: false;
                            error: string;
                        };
                    };
                };
                /** @description Default Response */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description A short title, or OAuth's code. */
                            error: string;
                            /** @description OAuth's own words, where it refused. */
                            description?: string;
                            /** @description For programs: never changes. */
                            code: string;
                            /** @description One sentence that says what to do. */
                            message: string;
                            /** @description The path of the field that is wrong. */
                            param?: string;
                            request_id: string;
                            /** @description Stripe's id of the call that failed, for its support and logs. */
                            stripe_request_id?: string;
                            webhook_url: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/event-types/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List every type of event, with its schema and an example */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            api_version: string;
                            data: components["schemas"]["EventType"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what happened in the tenant's billing, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description A type, or a family such as `invoice.*`. */
                    type?: string;
                    object_id?: string;
                    /** @description Told then or later. ISO 8601 or Unix seconds. */
                    since?: string | number;
                    /** @description Told earlier than that. ISO 8601 or Unix seconds. */
                    until?: string | number;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Event"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an event as it is delivered, with its deliveries */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EventDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{id}/resend/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deliver an event again */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /** @description Only there, also an event that it does not take by its types. Default: every endpoint that takes it. */
                        endpoint_id?: string;
                    } | null;
                };
            };
            responses: {
                /** @description The deliveries that begin again, or for the first time, under the same webhook-id. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["EventDelivery"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List webhook endpoints, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["WebhookEndpoint"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Create a webhook endpoint */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description https, to a public address. In development loopback addresses are taken too, over http as well. What waits when it changes is delivered to the new one. */
                        url: string;
                        /** @description Event types, families such as `invoice.*`, or `*` for all. */
                        enabled_events?: string[];
                        /** @description The mode whose events it takes; null: both. A key may only say its own. */
                        livemode?: boolean | null;
                        /** @default null */
                        description?: string | null;
                        /**
                         * @description none: events may arrive in any order · per_object: an event of an object waits until the older one of it has ended. A change counts for events told from then on.
                         * @default none
                         * @enum {string}
                         */
                        ordering?: "none" | "per_object";
                        /**
                         * @description v1: HMAC with the secret · v1a: an ed25519 signature beside it, to be verified with `public_key`.
                         * @default v1
                         * @enum {string}
                         */
                        signature?: "v1" | "v1a";
                    };
                };
            };
            responses: {
                /** @description Its secret is shown whole this once. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a webhook endpoint */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Delete a webhook endpoint */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "webhook_endpoint";
                            /** @enum {boolean} */
                            deleted: true;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /** Update a webhook endpoint */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        url?: string | null;
                        /** @description Event types, families such as `invoice.*`, or `*` for all. */
                        enabled_events?: string[];
                        /** @description The mode whose events it takes; null: both. A key may only say its own. */
                        livemode?: boolean | null;
                        description?: string | null;
                        /**
                         * @description none: events may arrive in any order · per_object: an event of an object waits until the older one of it has ended. A change counts for events told from then on.
                         * @enum {string}
                         */
                        ordering?: "none" | "per_object";
                        /**
                         * @description v1: HMAC with the secret · v1a: an ed25519 signature beside it, to be verified with `public_key`.
                         * @enum {string}
                         */
                        signature?: "v1" | "v1a";
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/rotate-secret/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace its signing secret */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /**
                         * @description How long deliveries are signed with the old secret too, and with the ed25519 key that is replaced with it. 0: they and all older ones stop at once.
                         * @default 86400
                         */
                        grace_seconds?: number;
                    } | null;
                };
            };
            responses: {
                /** @description The new secret is shown whole this once; of `v1a`, `public_key` is new too. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Enable a webhook endpoint */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description What it missed meanwhile is sent by a recovery. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Disable a webhook endpoint */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description What waits for it is canceled; what a worker has taken already is sent yet. Events are kept, and can be recovered. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/stats/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How its deliveries go */
        get: {
            parameters: {
                query?: {
                    /** @description ISO 8601 or Unix seconds, at most 7 days ago. Default: a day ago. */
                    since?: string | number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookEndpointStatistics"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/recover/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deliver what it missed, or count it */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description What we learned of from then on. ISO 8601 or Unix seconds. What lies so far back that deliveries are not kept is left out: the answer's `since` says from when on. */
                        since: string | number;
                        /** @description Exclusive. Default: now. */
                        until?: string | number;
                        /**
                         * @description true: only count.
                         * @default false
                         */
                        dry_run?: boolean;
                        /**
                         * @description At most so many deliveries are begun in a second.
                         * @default 50
                         */
                        per_second?: number;
                    };
                };
            };
            responses: {
                /** @description Of a dry run: the events that the endpoint takes and neither has had nor is about to get. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {boolean} */
                            dry_run: true;
                            count: number;
                            /** @description Only the first 100,000 events of the range were looked at. */
                            count_is_partial: boolean;
                            livemode: boolean;
                            /** Format: date-time */
                            since: string;
                            /** Format: date-time */
                            until: string;
                        };
                    };
                };
                /** @description It runs in the background: follow it by its id. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recovery"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List deliveries, newest first */
        get: {
            parameters: {
                query?: {
                    endpoint?: string;
                    /** @description The same as `endpoint`. */
                    endpoint_id?: string;
                    /** @description pending: it is tried again at `next_attempt_at` · failed: it was given up · canceled: its endpoint was disabled, deleted, lost its url, or takes no events of this mode any more. */
                    status?: "pending" | "delivered" | "failed" | "canceled";
                    /** @description Of events told then or later. ISO 8601 or Unix seconds. */
                    since?: string | number;
                    /** @description Of events told earlier than that. ISO 8601 or Unix seconds. */
                    until?: string | number;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Delivery"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a delivery with every attempt */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeliveryDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliveries/{id}/retry/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a delivery again, now */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description It is due now, and begins another round of attempts, under the same `webhook-id`. Of one whose attempt is under way the outcome counts: retry it again where that fails. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Delivery"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recoveries/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List recoveries, newest first */
        get: {
            parameters: {
                query?: {
                    endpoint_id?: string;
                    status?: "running" | "done" | "canceled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Recovery"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recoveries/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a recovery with its progress */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recovery"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recoveries/{id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel a recovery */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description What it has begun by then is delivered all the same. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recovery"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/invoices/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List invoices on the connected account, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                    /** @description One or several, by commas. */
                    status?: string;
                    customer_email?: string;
                    /** @description ISO 8601 or Unix seconds. */
                    "created[gt]"?: string | number;
                    /** @description ISO 8601 or Unix seconds. */
                    "created[gte]"?: string | number;
                    /** @description ISO 8601 or Unix seconds. */
                    "created[lt]"?: string | number;
                    /** @description ISO 8601 or Unix seconds. */
                    "created[lte]"?: string | number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ConnectedInvoice"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Create and send an invoice on the connected account */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        customer_email: string;
                        customer_name?: string;
                        currency: string;
                        items: {
                            description: string;
                            /** @description For one, in the smallest unit of the currency. */
                            amount: number;
                            /** @default 1 */
                            quantity?: number;
                        }[];
                        /** @default 30 */
                        days_until_due?: number;
                        /** @description Stands on the invoice. */
                        memo?: string;
                        /** @default {} */
                        metadata?: {
                            [key: string]: string;
                        };
                        /** @description The platform's share of this invoice. Default: the tenant's, else `PLATFORM_FEE_PERCENT`. */
                        application_fee_percent?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectedInvoice"];
                    };
                };
                /** @description Stripe does not answer: the invoice is kept, and is made and sent as soon as it does. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectedInvoice"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/invoices/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an invoice on the connected account */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectedInvoice"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/invoices/{id}/void/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Void an invoice on the connected account */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectedInvoice"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/invoices/{id}/send/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send an invoice to its customer again */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConnectedInvoice"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve the own account: balance, status, subscription */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnAccount"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/credit-packs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the credit packs that can be bought */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["SoldPack"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/purchase-credits/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Buy credits on Stripe's Checkout page */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of an active pack: see `GET /account/credit-packs/`. */
                        price_id: string;
                        /**
                         * @description How many packs.
                         * @default 1
                         */
                        quantity?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StartedCheckout"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/purchases/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the own purchases, newest first */
        get: {
            parameters: {
                query?: {
                    status?: "pending" | "paid" | "canceled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["CreditPurchase"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/credits/ledger/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the own credit entries, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["CreditEntry"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/invoices/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the own invoices, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["OwnInvoice"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/status/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How a payment stands: at once, by a long poll or as a stream */
        get: {
            parameters: {
                query?: {
                    /** @description Seconds to wait for the end or for a change. With `If-None-Match` (the ETag of the answer before) it waits for another answer than that, and is 304 without one. */
                    wait?: number;
                    /** @description `true` on the page that Stripe's Checkout leads back to: while it is pending, Stripe is asked at once and not after 3 s. */
                    returned?: string;
                    /** @description From `status_url`: instead of a signed-in person's or an account session's, which needs the scope `read`. */
                    token?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PaymentStatus"];
                    };
                };
                /** @description The stream was resumed (`Last-Event-ID`) after its final event: there is nothing more to come. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description Nothing else than what `If-None-Match` names came within `wait`. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/subscription/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a subscription */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of an active plan: see `GET /api/v1/plans/`. */
                        price_id: string;
                        /**
                         * @description `checkout`: Stripe's page · `elements`: your own page with Stripe's Payment Element.
                         * @default checkout
                         * @enum {string}
                         */
                        mode?: "checkout" | "elements";
                        /** @default 1 */
                        quantity?: number;
                        /** @description At most the plan's own, once in an account's life; without it the plan's. */
                        trial_days?: number;
                        /** @description As people type it, or its promo_ id. */
                        promotion_code?: string;
                        /** @default false */
                        automatic_tax?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StartedSubscription"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/subscription/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel the own subscription */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /**
                         * @description false: at once, without money back.
                         * @default true
                         */
                        at_period_end?: boolean;
                        /** @description Needed where the account has several. */
                        subscription_id?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnSubscription"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/subscription/resume/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resume the own subscription */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /** @description Needed where the account has several. */
                        subscription_id?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnSubscription"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/subscription/change-plan/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change to another plan */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        price_id: string;
                        /** @description Without it: as many as before. */
                        quantity?: number;
                        /**
                         * @description What is left of the paid period: on the next invoice, on one of its own at once, or left alone.
                         * @default create_prorations
                         * @enum {string}
                         */
                        proration?: "create_prorations" | "always_invoice" | "none";
                        /** @description Needed where the account has several. */
                        subscription_id?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnSubscription"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/billing-portal/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Open Stripe's billing portal */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /**
                         * Format: uri
                         * @description Where the person comes back to; of an origin in CORS_ORIGINS.
                         */
                        return_url?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BillingPortal"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/payment-method/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a payment method */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PaymentMethodSetup"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/auto-top-up/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether credits are bought when they run low */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AutoTopUp"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Buy credits when they run low, or stop that */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        enabled: boolean;
                        /** @description It buys when the balance is below this, with the default payment method. */
                        threshold?: number;
                        /** @description Of a credit pack: see `GET /account/credit-packs/`. */
                        price_id?: string;
                        quantity?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AutoTopUp"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/accounts/{id}/entitlements/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an account may use now */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Entitlements"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/payments/{id}/refund/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Refund a payment, whole or in part */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /** @description In the smallest unit of the currency, at most what is left; without it all of that. */
                        amount?: number;
                        /** @enum {string} */
                        reason?: "duplicate" | "fraudulent" | "requested_by_customer";
                        /**
                         * @description Whether the platform's fee goes back too, in the same share.
                         * @default false
                         */
                        refund_application_fee?: boolean;
                    } | null;
                };
            };
            responses: {
                /** @description Its credits are taken back by Stripe's event. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refund"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List accounts, newest first */
        get: {
            parameters: {
                query?: {
                    external_id?: string;
                    email?: string;
                    status?: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Account"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Create an account */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Your own id of this customer, once in a mode. */
                        external_id?: string | null;
                        email?: string | null;
                        name?: string | null;
                        /** @description Replaces what was there. */
                        metadata?: {
                            [key: string]: string;
                        };
                        /** @description `credit.low` is told when the balance falls below it; null: never. */
                        credit_low_threshold?: number | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Account"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an account with its balance */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AccountDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Update an account */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Your own id of this customer, once in a mode. */
                        external_id?: string | null;
                        email?: string | null;
                        name?: string | null;
                        /** @description Replaces what was there. */
                        metadata?: {
                            [key: string]: string;
                        };
                        /** @description `credit.low` is told when the balance falls below it; null: never. */
                        credit_low_threshold?: number | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Account"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/accounts/{id}/purchases/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an account's purchases, newest first */
        get: {
            parameters: {
                query?: {
                    status?: "pending" | "paid" | "canceled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["CreditPurchase"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/invoices/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an account's invoices, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["OwnInvoice"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/session/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a customer in, for 15 minutes */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /**
                         * @description What the token is good for; without it: everything.
                         * @default [
                         *       "read",
                         *       "purchase",
                         *       "subscription",
                         *       "payment_method"
                         *     ]
                         */
                        scopes?: ("read" | "purchase" | "subscription" | "payment_method")[];
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AccountSession"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/credits/spend/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Spend credits */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Required: at most 255 visible ASCII characters, kept for ever. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`. A refusal (402) takes nothing and keeps nothing: the key is free for another try. */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Whole credits. */
                        amount: number;
                        /** @description For people: stands in the ledger. */
                        reason: string;
                        /** @description What it was for, such as an id of yours. */
                        reference?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditEntry"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/credits/grant/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Grant credits */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Required: at most 255 visible ASCII characters, kept for ever. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`. A refusal (402) takes nothing and keeps nothing: the key is free for another try. */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Whole credits. */
                        amount: number;
                        /** @description For people: stands in the ledger. */
                        reason: string;
                        /** @description What it was for, such as an id of yours. */
                        reference?: string;
                        /** @description ISO 8601 or Unix seconds; without it they never expire. */
                        expires_at?: string | number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditEntry"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/credits/refund/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give spent credits back */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Required: at most 255 visible ASCII characters, kept for ever. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`. A refusal (402) takes nothing and keeps nothing: the key is free for another try. */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Whole credits. */
                        amount: number;
                        /** @description For people: stands in the ledger. */
                        reason: string;
                        /** @description The id of a spend's entry limits its refunds to what was spent; any other text is kept as it is. */
                        reference?: string;
                        /** @description ISO 8601 or Unix seconds; without it they never expire. */
                        expires_at?: string | number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditEntry"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}/credits/ledger/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List credit entries, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["CreditEntry"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credit-packs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List credit packs, newest first */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                    active?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["CreditPack"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Create a credit pack, here and at Stripe */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        key?: string | null;
                        /** @description Stands on Stripe's pages. */
                        name: string;
                        /** @description What one pack brings. */
                        credits: number;
                        /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                        amount: number;
                        currency: string;
                        /**
                         * @description false: not sold any more. It is never deleted.
                         * @default true
                         */
                        active?: boolean;
                    };
                };
            };
            responses: {
                /** @description With `sync_pending`: Stripe does not answer, and it is made there as soon as it does. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditPack"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/credit-packs/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a credit pack */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditPack"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Update a credit pack, here and at Stripe */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        key?: string | null;
                        /** @description Stands on Stripe's pages. */
                        name?: string;
                        /** @description What one pack brings. */
                        credits?: number;
                        /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                        amount?: number;
                        currency?: string;
                        /** @description false: not sold any more. It is never deleted. */
                        active?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreditPack"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/plans/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List plans: those that are sold, or all of the own tenant's */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                    /** @description An account has one active subscription in a group, or many: see `SUBSCRIPTIONS_PER_GROUP`. */
                    plan_group?: string;
                    /** @description Inactive ones are for the tenant's people and secret keys only. */
                    is_active?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Plan"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /** Create a plan, here and at Stripe */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        key?: string | null;
                        /** @description Stands on Stripe's pages. */
                        name: string;
                        /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                        amount: number;
                        currency: string;
                        /** @enum {string} */
                        billing_interval: "day" | "week" | "month" | "year";
                        /**
                         * @description Every so many intervals.
                         * @default 1
                         */
                        interval_count?: number;
                        /** @default [] */
                        features?: string[];
                        /**
                         * @description An account has one active subscription in a group, or many: see `SUBSCRIPTIONS_PER_GROUP`.
                         * @default default
                         */
                        plan_group?: string;
                        /** @default null */
                        trial_days?: number | null;
                        /**
                         * @description false: not sold any more. It is never deleted.
                         * @default true
                         */
                        is_active?: boolean;
                    };
                };
            };
            responses: {
                /** @description With `sync_pending`: Stripe does not answer, and it is made there as soon as it does. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plans/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a plan */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Update a plan, here and at Stripe */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        key?: string | null;
                        /** @description Stands on Stripe's pages. */
                        name?: string;
                        /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                        amount?: number;
                        currency?: string;
                        /** @enum {string} */
                        billing_interval?: "day" | "week" | "month" | "year";
                        /** @description Every so many intervals. */
                        interval_count?: number;
                        features?: string[];
                        /** @description An account has one active subscription in a group, or many: see `SUBSCRIPTIONS_PER_GROUP`. */
                        plan_group?: string;
                        trial_days?: number | null;
                        /** @description false: not sold any more. It is never deleted. */
                        is_active?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/search/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find what is the tenant's by an id or an e-mail address */
        get: {
            parameters: {
                query: {
                    /** @description A whole id, ours or Stripe's, a whole external_id, or how an e-mail address begins. */
                    q: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description At most 20. */
                            data: components["schemas"]["SearchHit"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/stripe-events/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List received events, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description Of a rare one a page may be short, or empty, and `has_more` all the same. */
                    type?: string;
                    status?: "pending" | "processed" | "failed" | "ignored" | "unrouted";
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    object_id?: string;
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["StripeEvent"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/stripe-events/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an event with its payload, attempts and changes */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StripeEventDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/stripe-events/{id}/replay/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Process an event again */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            replayed: number;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/stripe-events/replay/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Process a range of events again, or count it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Whole types, separated by commas. */
                        type?: string;
                        /** @enum {string} */
                        status?: "failed" | "ignored" | "unrouted";
                        /** @description A connected account's id; `platform` for the platform's own. */
                        account?: string;
                        /** @description Left out: of both modes. No bound by itself. */
                        livemode?: boolean;
                        object_id?: string;
                        /** @description ISO 8601 or Unix seconds, inclusive. */
                        since?: string | number;
                        /** @description ISO 8601 or Unix seconds, exclusive. */
                        until?: string | number;
                        /**
                         * @description Only count.
                         * @default false
                         */
                        dry_run?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            count: number;
                            /** @enum {boolean} */
                            dry_run: true;
                        };
                    };
                };
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            count: number;
                            /** @enum {boolean} */
                            dry_run: false;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/customers/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List customers */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Customer"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/customers/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a customer */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CustomerDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/customers/{id}/timeline/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One customer's story, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    /** @description Only these; a page may then be shorter than its limit, and not the last. */
                    kinds?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TimelineItem"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/subscriptions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List subscriptions */
        get: {
            parameters: {
                query?: {
                    status?: string;
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Subscription"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/subscriptions/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a subscription */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SubscriptionDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/invoices/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List invoices */
        get: {
            parameters: {
                query?: {
                    status?: string;
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Invoice"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/invoices/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an invoice */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["InvoiceDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/payments/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List payments (payment intents) */
        get: {
            parameters: {
                query?: {
                    status?: string;
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Payment"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/payments/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a payment */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PaymentDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/refunds/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List refunds */
        get: {
            parameters: {
                query?: {
                    status?: string;
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Refund"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/refunds/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a refund */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RefundDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/disputes/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List disputes */
        get: {
            parameters: {
                query?: {
                    status?: string;
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    customer?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description Rows that need a look: their order is ambiguous, or a field could not be read. */
                    flagged?: "true" | "false";
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Dispute"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/disputes/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a dispute */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DisputeDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/credit-packs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a tenant's packs */
        get: {
            parameters: {
                query?: {
                    /** @description Default: the platform. */
                    tenant?: string;
                    livemode?: "true" | "false";
                    is_active?: "true" | "false";
                    billing_interval?: unknown;
                    /** @description A whole id, ours or Stripe's of its price or product, a whole key, or a part of the name. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ListedPack"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/credit-packs/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a credit pack of any tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedPack"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/credit-packs/sync/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sync packs with Stripe */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Default: the platform. `all`: and every tenant that is connected. */
                        tenant?: string;
                        livemode?: boolean;
                        /**
                         * @description Stripe is right, not the rows.
                         * @default false
                         */
                        from_stripe?: boolean;
                        /**
                         * @description Only say what would be done.
                         * @default false
                         */
                        dry_run?: boolean;
                        /** @description What a file has; by default the rows as they are. What it leaves out stays as it is. */
                        items?: {
                            /** @description Your own name for it, once in a mode: files name it by this. */
                            key: string;
                            /** @description Stands on Stripe's pages. */
                            name: string;
                            /** @description What one pack brings. */
                            credits: number;
                            /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                            amount: number;
                            currency: string;
                            /**
                             * @description false: not sold any more. It is never deleted.
                             * @default true
                             */
                            active?: boolean;
                        }[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OfferSync"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/plans/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a tenant's plans */
        get: {
            parameters: {
                query?: {
                    /** @description Default: the platform. */
                    tenant?: string;
                    livemode?: "true" | "false";
                    is_active?: "true" | "false";
                    billing_interval?: "day" | "week" | "month" | "year";
                    /** @description A whole id, ours or Stripe's of its price or product, a whole key, or a part of the name. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ListedPlan"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/plans/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a plan of any tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedPlan"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/plans/sync/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sync plans with Stripe */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Default: the platform. `all`: and every tenant that is connected. */
                        tenant?: string;
                        livemode?: boolean;
                        /**
                         * @description Stripe is right, not the rows.
                         * @default false
                         */
                        from_stripe?: boolean;
                        /**
                         * @description Only say what would be done.
                         * @default false
                         */
                        dry_run?: boolean;
                        /** @description What a file has; by default the rows as they are. What it leaves out stays as it is. */
                        items?: {
                            /** @description Your own name for it, once in a mode: files name it by this. */
                            key: string;
                            /** @description Stands on Stripe's pages. */
                            name: string;
                            /** @description In the smallest unit of the currency: at most 8 digits, and 12 in Indonesian rupiahs. */
                            amount: number;
                            currency: string;
                            /** @enum {string} */
                            billing_interval: "day" | "week" | "month" | "year";
                            /**
                             * @description Every so many intervals.
                             * @default 1
                             */
                            interval_count?: number;
                            /** @default [] */
                            features?: string[];
                            /**
                             * @description An account has one active subscription in a group, or many: see `SUBSCRIPTIONS_PER_GROUP`.
                             * @default default
                             */
                            plan_group?: string;
                            /** @default null */
                            trial_days?: number | null;
                            /**
                             * @description false: not sold any more. It is never deleted.
                             * @default true
                             */
                            is_active?: boolean;
                        }[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OfferSync"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/tenants/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List tenants, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ListedTenant"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/tenants/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedTenant"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change a tenant's application fee */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description null: that of the configuration. */
                        application_fee_percent: number | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantTerms"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/admin/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List people, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ListedUser"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/users/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a person */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedUser"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/credit-purchases/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List purchases of credits, newest first */
        get: {
            parameters: {
                query?: {
                    tenant?: string;
                    livemode?: "true" | "false";
                    state?: "pending" | "paid" | "canceled";
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    /** @description A whole id or a whole e-mail address. */
                    text?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ListedPurchase"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/credit-purchases/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a purchase of credits */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedPurchase"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/accounts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find the accounts of an e-mail address */
        get: {
            parameters: {
                query: {
                    email: string;
                    tenant?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["FoundAccount"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/objects/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve any Stripe object with its story */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StripeObject"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/billing-log/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened, with what each event changed */
        get: {
            parameters: {
                query?: {
                    /** @description A connected account's id; `platform` for the platform's own. */
                    account?: string;
                    livemode?: "true" | "false";
                    /** @description All that names this Stripe customer, and its refunds, disputes and invoice payments, which do not: the newest 100 of each, of its 100 newest charges, of its 100 newest that were refunded or disputed, and of its 100 newest invoices. */
                    customer?: string;
                    object_id?: string;
                    /** @description ISO 8601 or Unix seconds, inclusive. */
                    since?: string | number;
                    /** @description ISO 8601 or Unix seconds, exclusive. */
                    until?: string | number;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["LogEntry"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/mails/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List mails, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description kept: there is no mail server, it is read here. */
                    status?: "queued" | "sent" | "failed" | "dropped" | "kept";
                    /** @description A whole address. */
                    to?: string;
                    template?: "invite" | "verify_address" | "reset_password" | "welcome" | "credits_added" | "payment_failed" | "trial_ending" | "card_expiring" | "connected_invoice_paid" | "endpoint_disabled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Mail"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/mails/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a mail with its attempts */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["MailDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/mails/{id}/retry/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a failed or kept mail again */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            status: "queued";
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/mail-templates/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List every mail with an example */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                template: "invite" | "verify_address" | "reset_password" | "welcome" | "credits_added" | "payment_failed" | "trial_ending" | "card_expiring" | "connected_invoice_paid" | "endpoint_disabled";
                                example: {
                                    subject: string;
                                    text: string;
                                    html: string;
                                };
                            }[];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/unmatched-purchases/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List payments that need a decision */
        get: {
            parameters: {
                query?: {
                    status?: "resolving" | "open" | "matched" | "foreign" | "assigned" | "dismissed";
                    tenant_id?: string;
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["UnmatchedPurchase"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/unmatched-purchases/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a payment that no purchase has */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UnmatchedPurchase"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/unmatched-purchases/{id}/assign/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a payment's credits to an account */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of the payment's tenant and mode. */
                        account_id: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UnmatchedPurchase"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/unmatched-purchases/{id}/dismiss/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decide that a payment brings no credits */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description At most 255 visible ASCII characters, kept for 24 hours, for you and this route alone. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`; while the first one runs it is 409 `idempotency_key_in_use`. Refusals of the request itself (a wrong field, a missing right) are not kept, nor are failures after which another try may succeed (5xx, 429, a Stripe account that is not ready). */
                    "idempotency-key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UnmatchedPurchase"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/events/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an event of any tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnyEventDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/deliveries/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a delivery of any tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnyDeliveryDetail"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/webhook-endpoints/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve a webhook endpoint of any tenant */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnyWebhookEndpoint"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/connected-invoices/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Retrieve an invoice on any tenant's connected account */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnyConnectedInvoice"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/search/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find anything by an id or an e-mail address */
        get: {
            parameters: {
                query: {
                    /** @description A whole id, ours or Stripe's, a whole external_id, or how an e-mail address begins. */
                    q: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description At most 20. */
                            data: components["schemas"]["SearchHit"][];
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List background jobs, newest first */
        get: {
            parameters: {
                query?: {
                    tenant?: string;
                    livemode?: "true" | "false";
                    status?: "running" | "done" | "canceled";
                    limit?: number;
                    /** @description `next_cursor` of the page before. */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Job"][];
                            has_more: boolean;
                            next_cursor: string | null;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/doctor/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find what is wrong, with its cause and how to mend it */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DoctorReport"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/background/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How imports, catch-ups and scheduled work stand */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BackgroundWork"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/overview/series/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events, money and credits over time */
        get: {
            parameters: {
                query?: {
                    range?: "hour" | "day" | "month";
                    livemode?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OverviewSeries"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/overview/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts, lag and what needs a look */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Overview"];
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/drift/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Compare local rows with Stripe's objects, or repair them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description true: what differs is taken anew from Stripe; false: only told. */
                        repair: boolean;
                        /** @description Stripe's names of kinds of objects. Default: all. */
                        types?: ("account" | "product" | "price" | "plan" | "customer" | "payment_method" | "setup_intent" | "checkout.session" | "subscription" | "invoice" | "invoice_payment" | "payment_intent" | "charge" | "refund" | "dispute" | "payout")[];
                        /** @description So many pages of 100 objects of each kind, from places by chance. Default: everything. */
                        sample_pages?: number;
                        /** @description Only this connected account; `platform` for the platform's own. */
                        account?: string;
                        /** @description Only live mode, or only test mode. */
                        livemode?: boolean;
                    };
                };
            };
            responses: {
                /** @description One JSON object a line: `{progress}` every few hundred milliseconds, `{difference}` for each row that differs, `{compared}` for each kind of each Stripe account with its tenant, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/backup/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The whole database as a backup */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The file as `billhook backup` writes it (docs/backup.md). One that does not end with its checksum was cut off, and cannot be restored. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/zstd": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/move/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give the whole database away, and hold all else */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Names this move. */
                        move: string;
                    };
                };
            };
            responses: {
                /** @description The file as `billhook backup` writes it (docs/backup.md). One that does not end with its checksum was cut off, and cannot be restored. From its beginning on all other requests are answered 503. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/zstd": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/move/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on with a move, finish it or give it up */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description renew: the mover is still there; without it the move ends after a minute. give_up: this server goes on as before. finish: everything is in the other database; this one takes nothing in any more.
                         * @enum {string}
                         */
                        step: "renew" | "give_up" | "finish";
                        /** @description Of finish: the other database, without its password. */
                        to?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            move: string;
                        };
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/import/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fetch every object that Stripe has */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Stripe's names of kinds of objects. Default: all. */
                        types?: ("account" | "product" | "price" | "plan" | "customer" | "payment_method" | "setup_intent" | "checkout.session" | "subscription" | "invoice" | "invoice_payment" | "payment_intent" | "charge" | "refund" | "dispute" | "payout")[];
                        /** @description ISO 8601 or Unix seconds: only objects made since then. Default: all. */
                        since?: string | number;
                        /** @description Only this connected account; `platform` for the platform's own. */
                        account?: string;
                        /** @description Only live mode, or only test mode. */
                        livemode?: boolean;
                    };
                };
            };
            responses: {
                /** @description One JSON object a line: `{progress}` every few hundred milliseconds, `{imported}` for each kind of each Stripe account, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; another call goes on from there. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/catch-up/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fetch the events that no webhook brought */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description ISO 8601 or Unix seconds, at most 30 days ago; of a connected account not before its connection. Default: where the last catch-up ended. */
                        since?: string | number;
                        /** @description Only this connected account; `platform` for the platform's own. */
                        account?: string;
                        /** @description Only live mode, or only test mode. */
                        livemode?: boolean;
                    };
                };
            };
            responses: {
                /** @description One JSON object a line: `{progress}` every few hundred milliseconds, `{account}` for each Stripe account, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; another call goes on from there. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/rebuild/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Recompute all projections from the inbox, or compare them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description true: compare only; false: mend what differs. */
                        check: boolean;
                    };
                };
            };
            responses: {
                /** @description One JSON object a line: `{progress}` every few hundred milliseconds, `{difference}` for each object that differs, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/ledger/verify/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Prove that balances are what their entries say */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        /** @description From the last `progress` of a proof that was stopped. */
                        after?: string;
                    } | null;
                };
            };
            responses: {
                /** @description One JSON object a line: `{progress}` after each page, `{difference}` for each account that does not agree, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; `after` of the last `progress` goes on with it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
                /** @description Default Response */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Account: {
            id: string;
            livemode: boolean;
            external_id: string | null;
            email: string | null;
            name: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description Below zero after a refund or dispute of credits that were spent. */
            credit_balance: number;
            credit_low_threshold: number | null;
            is_trial_user: boolean;
            /** @enum {string} */
            status: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
            period_end: string | null;
            trial_end: string | null;
            stripe_customer_id: string | null;
            default_payment_method: {
                id: string;
                type: string | null;
                brand: string | null;
                last4: string | null;
                exp_month: number | null;
                exp_year: number | null;
            } | null;
            /** Format: date-time */
            created_at: string;
        };
        AccountDetail: {
            id: string;
            livemode: boolean;
            external_id: string | null;
            email: string | null;
            name: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description Below zero after a refund or dispute of credits that were spent. */
            credit_balance: number;
            credit_low_threshold: number | null;
            is_trial_user: boolean;
            /** @enum {string} */
            status: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
            period_end: string | null;
            trial_end: string | null;
            stripe_customer_id: string | null;
            default_payment_method: {
                id: string;
                type: string | null;
                brand: string | null;
                last4: string | null;
                exp_month: number | null;
                exp_year: number | null;
            } | null;
            /** Format: date-time */
            created_at: string;
            subscription: {
                id: string;
                status: string | null;
                price_id: string | null;
                quantity: number | null;
                current_period_end: string | null;
                trial_end: string | null;
                /** @description When it ends, if it was canceled. */
                cancel_at: string | null;
            } | null;
        };
        AccountSession: {
            /** @description For the customer's browser, as `Authorization: Bearer …`. */
            token: string;
            /**
             * Format: date-time
             * @description In 15 minutes: then ask for another one.
             */
            expires_at: string;
            account_id: string;
            scopes: ("read" | "purchase" | "subscription" | "payment_method")[];
        };
        AnyConnectedInvoice: {
            id: string;
            /** @constant */
            object: "connected_invoice";
            livemode: boolean;
            /**
             * @description `stripe`: made elsewhere on the connected account.
             * @enum {string}
             */
            origin: "billhook" | "stripe";
            /**
             * @description pending → paid | payment_failed (may still be paid) | void | uncollectible (may still be paid). An invoice that was given up before Stripe had it is void, with its `failure`.
             * @enum {string}
             */
            status: "pending" | "paid" | "payment_failed" | "void" | "uncollectible";
            stripe_account: string;
            /** @description null while it is on its way to Stripe. */
            stripe_invoice_id: string | null;
            number: string | null;
            customer_email: string | null;
            customer_name: string | null;
            currency: string;
            /** @description The total, in the smallest unit of the currency. */
            amount: number;
            amount_paid: number;
            application_fee_percent: number | null;
            application_fee_amount: number | null;
            items: {
                description: string | null;
                amount: number;
                quantity: number;
            }[];
            memo: string | null;
            metadata: {
                [key: string]: unknown;
            };
            due_date: string | null;
            paid_at: string | null;
            hosted_invoice_url: string | null;
            invoice_pdf: string | null;
            /** @description Why it was given up, or could not be sent to the customer. */
            failure: {
                code: string;
                message: string;
                stripe_request_id: string | null;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            tenant_id: string;
        };
        AnyDeliveryDetail: {
            id: string;
            /** @constant */
            object: "delivery";
            livemode: boolean;
            endpoint_id: string;
            /** @description What the receiver gets as `webhook-id`, however often it is sent. */
            event_id: string;
            /** @description null: the event is not kept any more. */
            event_type: string | null;
            /**
             * @description pending: it is tried again at `next_attempt_at` · failed: it was given up · canceled: its endpoint was disabled, deleted, lost its url, or takes no events of this mode any more.
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "canceled";
            attempts: number;
            last_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            next_attempt_at: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            /** @description The first one first. */
            attempt_list: components["schemas"]["DeliveryAttempt"][];
            tenant_id: string;
        };
        AnyEventDetail: {
            id: string;
            /** @constant */
            object: "event";
            type: string;
            api_version: string;
            livemode: boolean;
            object_id: string | null;
            /** @description Where it happened; null for the platform's own account. */
            stripe_account: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            created: string;
            /**
             * Format: date-time
             * @description When it was told: the order of this list.
             */
            created_at: string;
            /** @description As it is delivered. */
            body: {
                [key: string]: unknown;
            };
            deliveries: components["schemas"]["EventDelivery"][];
            tenant_id: string;
        };
        AnyWebhookEndpoint: {
            id: string;
            /** @constant */
            object: "webhook_endpoint";
            /** @description null: of the first endpoint, while it has none. */
            url: string | null;
            description: string | null;
            enabled_events: string[];
            /** @description The mode whose events it takes; null: both. A key may only say its own. */
            livemode: boolean | null;
            /**
             * @description none: events may arrive in any order · per_object: an event of an object waits until the older one of it has ended. A change counts for events told from then on.
             * @enum {string}
             */
            ordering: "none" | "per_object";
            /** @description Whether it is the one of `/api/v1/auth/tenants/webhooks/config/`. */
            first: boolean;
            /** @enum {string} */
            status: "enabled" | "disabled";
            /** @description by_tenant: one of you did it · gone: it answered 410 · failing: nothing was delivered for days. */
            disabled_reason: ("by_tenant" | "gone" | "failing") | null;
            disabled_at: string | null;
            /** @description Since when every attempt has failed. */
            failing_since: string | null;
            /** @description Whole where it was made by this request, else as `whsec_****...MnOp`. */
            secret: string;
            /** @description When replaced secrets and their ed25519 keys stop: until then deliveries are signed with them too. */
            previous_secrets_until: string[];
            /**
             * @description v1: HMAC with the secret · v1a: an ed25519 signature beside it, to be verified with `public_key`.
             * @enum {string}
             */
            signature: "v1" | "v1a";
            /** @description `whpk_…`, for `v1a` signatures. Replaced with the secret. */
            public_key: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            tenant_id: string;
        };
        ApiKey: {
            id: string;
            /** @enum {string} */
            type: "live_public" | "live_secret" | "test_public" | "test_secret";
            /** @description Of a secret key: `sk_live_****...3456`. */
            key: string;
            masked: boolean;
            /** Format: date-time */
            created_at: string;
            last_used_at: string | null;
            /** @description The end of a replaced key's grace. */
            expires_at: string | null;
        };
        AuditEntry: {
            id: string;
            action: string;
            actor: {
                kind: string;
                id: string | null;
            };
            target: string | null;
            /** @description The address that it was done from. */
            source: string | null;
            before: unknown;
            after: unknown;
            /** Format: date-time */
            created_at: string;
        };
        AutoTopUp: {
            /** @description Turned off by itself after four refusals in a row, and when its pack is not sold at its price any more. */
            enabled: boolean;
            threshold: number | null;
            price_id: string | null;
            quantity: number | null;
            /** @description A payment is under way. */
            pending: boolean;
            /** @description Refusals of the card in a row. */
            failures: number;
            last_error: string | null;
        };
        BackgroundWork: {
            imports: {
                livemode: boolean;
                /** @description null: the platform's own. */
                account: string | null;
                object_type: string;
                running: boolean;
                /** @description Objects made from then on are here as of `complete_as_of`. */
                complete_since: string | null;
                complete_as_of: string | null;
                objects: number;
                pages: number;
                last_error: string | null;
                /** Format: date-time */
                updated_at: string;
            }[];
            catch_ups: {
                livemode: boolean;
                /** @description null: the platform's own. */
                account: string | null;
                covered_since: string | null;
                /** Format: date-time */
                covered_until: string;
                /** @description What Stripe no longer had: only an import brings it. */
                missed_since: string | null;
                missed_until: string | null;
                running: boolean;
                pages: number;
                events: number;
                new_events: number;
                skipped: number;
                last_error: string | null;
                last_run_at: string | null;
                next_run_at: string | null;
            }[];
            scheduled: {
                name: string;
                every_seconds: number;
                last_started_at: string | null;
                last_ended_at: string | null;
                next_run_at: string | null;
                outcome: ("done" | "failed") | null;
                error: string | null;
                /** @description Of all nodes together. */
                runs: number;
                failures: number;
            }[];
        };
        BillingPortal: {
            url: string;
        };
        Change: {
            field: string;
            before: unknown;
            after: unknown;
        };
        ConnectedInvoice: {
            id: string;
            /** @constant */
            object: "connected_invoice";
            livemode: boolean;
            /**
             * @description `stripe`: made elsewhere on the connected account.
             * @enum {string}
             */
            origin: "billhook" | "stripe";
            /**
             * @description pending → paid | payment_failed (may still be paid) | void | uncollectible (may still be paid). An invoice that was given up before Stripe had it is void, with its `failure`.
             * @enum {string}
             */
            status: "pending" | "paid" | "payment_failed" | "void" | "uncollectible";
            stripe_account: string;
            /** @description null while it is on its way to Stripe. */
            stripe_invoice_id: string | null;
            number: string | null;
            customer_email: string | null;
            customer_name: string | null;
            currency: string;
            /** @description The total, in the smallest unit of the currency. */
            amount: number;
            amount_paid: number;
            application_fee_percent: number | null;
            application_fee_amount: number | null;
            items: {
                description: string | null;
                amount: number;
                quantity: number;
            }[];
            memo: string | null;
            metadata: {
                [key: string]: unknown;
            };
            due_date: string | null;
            paid_at: string | null;
            hosted_invoice_url: string | null;
            invoice_pdf: string | null;
            /** @description Why it was given up, or could not be sent to the customer. */
            failure: {
                code: string;
                message: string;
                stripe_request_id: string | null;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        CreditEntry: {
            id: string;
            account_id: string;
            /** @enum {string} */
            kind: "purchase" | "grant" | "spend" | "reversal" | "restoral" | "expiry" | "adjustment";
            /** @description Below zero for what is taken. */
            amount: number;
            balance_after: number;
            reason: string;
            reference: string | null;
            /** @description The purchase that it follows from. */
            purchase_id: string | null;
            /** @description When the credits that it brought expire. */
            expires_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        CreditPack: {
            id: string;
            livemode: boolean;
            key: string | null;
            name: string;
            credits: number;
            /** @description In the smallest unit of the currency. */
            amount: number;
            currency: string;
            active: boolean;
            /** @description Of Stripe: what it is sold at. null until Stripe has it. */
            price_id: string | null;
            product_id: string | null;
            /** @description Stripe has not been told of the last change yet: until then it is sold on its former terms. */
            sync_pending: boolean;
            /** @description Why the last try to tell Stripe failed. */
            sync_error: {
                code: string;
                message: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        CreditPurchase: {
            id: string;
            /**
             * @description `canceled`: nobody can pay it any more.
             * @enum {string}
             */
            status: "pending" | "paid" | "canceled";
            credit_pack: {
                id: string;
                name: string | null;
            } | null;
            quantity: number;
            /** @description Of all packs together. */
            credits: number;
            /** @description For refunds and disputes. */
            credits_taken_back: number;
            /** @description Minor units, before discounts and tax. */
            amount: number;
            currency: string;
            price_id: string | null;
            session_id: string | null;
            payment_intent_id: string | null;
            /** @description When its credits expire. */
            expires_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        Customer: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_customer_id: string | null;
            email: string | null;
            name: string | null;
            phone: string | null;
            description: string | null;
            currency: string | null;
            balance: number | null;
            delinquent: boolean | null;
            default_payment_method_id: string | null;
            default_source_id: string | null;
            coupon_id: string | null;
            tax_exempt: string | null;
            customer_account_id: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        CustomerDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_customer_id: string | null;
            email: string | null;
            name: string | null;
            phone: string | null;
            description: string | null;
            currency: string | null;
            balance: number | null;
            delinquent: boolean | null;
            default_payment_method_id: string | null;
            default_source_id: string | null;
            coupon_id: string | null;
            tax_exempt: string | null;
            customer_account_id: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        Delivery: {
            id: string;
            /** @constant */
            object: "delivery";
            livemode: boolean;
            endpoint_id: string;
            /** @description What the receiver gets as `webhook-id`, however often it is sent. */
            event_id: string;
            /** @description null: the event is not kept any more. */
            event_type: string | null;
            /**
             * @description pending: it is tried again at `next_attempt_at` · failed: it was given up · canceled: its endpoint was disabled, deleted, lost its url, or takes no events of this mode any more.
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "canceled";
            attempts: number;
            last_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            next_attempt_at: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
        };
        DeliveryAttempt: {
            id: string;
            attempt: number;
            /** Format: date-time */
            at: string;
            url: string;
            /** @description As they were sent, with the signatures. No secret is in them. */
            request_headers: {
                [key: string]: string;
            };
            /** @description null: there was no answer, and `error_code` says why. */
            status_code: number | null;
            latency_ms: number;
            response_headers: {
                [key: string]: unknown;
            } | null;
            /** @description Its first 16 KiB. */
            response_body: string | null;
            error_code: string | null;
            error: string | null;
        };
        DeliveryDetail: {
            id: string;
            /** @constant */
            object: "delivery";
            livemode: boolean;
            endpoint_id: string;
            /** @description What the receiver gets as `webhook-id`, however often it is sent. */
            event_id: string;
            /** @description null: the event is not kept any more. */
            event_type: string | null;
            /**
             * @description pending: it is tried again at `next_attempt_at` · failed: it was given up · canceled: its endpoint was disabled, deleted, lost its url, or takes no events of this mode any more.
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "canceled";
            attempts: number;
            last_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            next_attempt_at: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            /** @description The first one first. */
            attempt_list: components["schemas"]["DeliveryAttempt"][];
        };
        Dispute: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_dispute_id: string | null;
            customer_id: string | null;
            customer_email: string | null;
            status: string | null;
            reason: string | null;
            currency: string | null;
            amount: number | null;
            charge_id: string | null;
            payment_intent_id: string | null;
            evidence_due_by: string | null;
            has_evidence: boolean | null;
            submission_count: number | null;
            is_charge_refundable: boolean | null;
            network_reason_code: string | null;
            balance_transactions: unknown;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        DisputeDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_dispute_id: string | null;
            customer_id: string | null;
            customer_email: string | null;
            status: string | null;
            reason: string | null;
            currency: string | null;
            amount: number | null;
            charge_id: string | null;
            payment_intent_id: string | null;
            evidence_due_by: string | null;
            has_evidence: boolean | null;
            submission_count: number | null;
            is_charge_refundable: boolean | null;
            network_reason_code: string | null;
            balance_transactions: unknown;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        DoctorReport: {
            /** Format: date-time */
            checked_at: string;
            /**
             * @description Of the worst finding.
             * @enum {string}
             */
            severity: "error" | "warning" | "notice" | "ok";
            findings: {
                /** @description For programs: docs/doctor.md lists all. */
                code: string;
                /**
                 * @description error: money or events are lost or wrong · warning: they will be, or somebody waits · notice: worth knowing · ok: how it stands.
                 * @enum {string}
                 */
                severity: "error" | "warning" | "notice" | "ok";
                /** @description Whom or what it is about: an id, a setting, an address. */
                subject: string | null;
                title: string;
                cause: string;
                /** @description What to do, with the command, setting or address that it takes. */
                mend: string;
                details?: {
                    [key: string]: unknown;
                };
            }[];
            checks: {
                code: string;
                title: string;
                /** @enum {string} */
                outcome: "ok" | "found" | "failed" | "skipped";
            }[];
        };
        Entitlements: {
            account_id: string;
            livemode: boolean;
            /** @enum {string} */
            status: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
            is_trial_user: boolean;
            period_end: string | null;
            trial_end: string | null;
            /** @description The first of `plans`. */
            plan: {
                id: string;
                key: string | null;
                name: string;
                group: string;
                price_id: string;
                quantity: number | null;
                features: string[];
                subscription_id: string;
                subscription_status: string;
                current_period_end: string | null;
                cancel_scheduled: boolean;
            } | null;
            /** @description Active, in trial or past due. */
            plans: {
                id: string;
                key: string | null;
                name: string;
                group: string;
                price_id: string;
                quantity: number | null;
                features: string[];
                subscription_id: string;
                subscription_status: string;
                current_period_end: string | null;
                cancel_scheduled: boolean;
            }[];
            /** @description Of all of them. */
            features: string[];
            credit_balance: number;
        };
        Error: {
            /** @description A short title, or OAuth's code. */
            error: string;
            /** @description OAuth's own words, where it refused. */
            description?: string;
            /** @description For programs: never changes. */
            code: string;
            /** @description One sentence that says what to do. */
            message: string;
            /** @description The path of the field that is wrong. */
            param?: string;
            request_id: string;
            /** @description Stripe's id of the call that failed, for its support and logs. */
            stripe_request_id?: string;
        };
        Event: {
            id: string;
            /** @constant */
            object: "event";
            type: string;
            api_version: string;
            livemode: boolean;
            object_id: string | null;
            /** @description Where it happened; null for the platform's own account. */
            stripe_account: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            created: string;
            /**
             * Format: date-time
             * @description When it was told: the order of this list.
             */
            created_at: string;
            data: {
                object: {
                    [key: string]: unknown;
                };
            };
        };
        EventDelivery: {
            id: string;
            endpoint_id: string;
            /** @enum {string} */
            status: "pending" | "delivered" | "failed" | "canceled";
            attempts: number;
            /** Format: date-time */
            created_at: string;
            last_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            ended_at: string | null;
            next_attempt_at: string | null;
        };
        EventDetail: {
            id: string;
            /** @constant */
            object: "event";
            type: string;
            api_version: string;
            livemode: boolean;
            object_id: string | null;
            /** @description Where it happened; null for the platform's own account. */
            stripe_account: string | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            created: string;
            /**
             * Format: date-time
             * @description When it was told: the order of this list.
             */
            created_at: string;
            /** @description As it is delivered. */
            body: {
                [key: string]: unknown;
            };
            deliveries: components["schemas"]["EventDelivery"][];
        };
        EventType: {
            type: string;
            description: string;
            /** @description What `data.object` calls itself. */
            object: string;
            /** @description JSON Schema of `data.object`. */
            schema: {
                [key: string]: unknown;
            };
            example: {
                [key: string]: unknown;
            };
        };
        FoundAccount: {
            id: string;
            tenant_id: string;
            company_name: string;
            livemode: boolean;
            external_id: string | null;
            email: string | null;
            name: string | null;
            credit_balance: number;
            is_trial_user: boolean;
            status: string;
            period_end: string | null;
            stripe_customer_id: string | null;
            person_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description The newest ones. */
            purchases: components["schemas"]["ListedPurchase"][];
        };
        Invoice: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_invoice_id: string | null;
            amount: number | null;
            payment_intent_id: string | null;
            status: string | null;
            paid: boolean | null;
            number: string | null;
            currency: string | null;
            subtotal: number | null;
            total: number | null;
            tax: number | null;
            discount_amount: number | null;
            amount_due: number | null;
            amount_paid: number | null;
            amount_remaining: number | null;
            billing_reason: string | null;
            collection_method: string | null;
            auto_advance: boolean | null;
            attempted: boolean | null;
            attempt_count: number | null;
            next_payment_attempt: string | null;
            customer_id: string | null;
            customer_account_id: string | null;
            customer_email: string | null;
            customer_name: string | null;
            subscription_id: string | null;
            subscription_metadata: unknown;
            price_id: string | null;
            coupon_id: string | null;
            charge_id: string | null;
            default_payment_method_id: string | null;
            paid_out_of_band: boolean | null;
            due_date: string | null;
            period_start: string | null;
            period_end: string | null;
            line_period_start: string | null;
            line_period_end: string | null;
            finalized_at: string | null;
            paid_at: string | null;
            voided_at: string | null;
            marked_uncollectible_at: string | null;
            hosted_invoice_url: string | null;
            invoice_pdf: string | null;
            application_fee_amount: number | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            description: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        InvoiceDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_invoice_id: string | null;
            amount: number | null;
            payment_intent_id: string | null;
            status: string | null;
            paid: boolean | null;
            number: string | null;
            currency: string | null;
            subtotal: number | null;
            total: number | null;
            tax: number | null;
            discount_amount: number | null;
            amount_due: number | null;
            amount_paid: number | null;
            amount_remaining: number | null;
            billing_reason: string | null;
            collection_method: string | null;
            auto_advance: boolean | null;
            attempted: boolean | null;
            attempt_count: number | null;
            next_payment_attempt: string | null;
            customer_id: string | null;
            customer_account_id: string | null;
            customer_email: string | null;
            customer_name: string | null;
            subscription_id: string | null;
            subscription_metadata: unknown;
            price_id: string | null;
            coupon_id: string | null;
            charge_id: string | null;
            default_payment_method_id: string | null;
            paid_out_of_band: boolean | null;
            due_date: string | null;
            period_start: string | null;
            period_end: string | null;
            line_period_start: string | null;
            line_period_end: string | null;
            finalized_at: string | null;
            paid_at: string | null;
            voided_at: string | null;
            marked_uncollectible_at: string | null;
            hosted_invoice_url: string | null;
            invoice_pdf: string | null;
            application_fee_amount: number | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            description: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        Job: {
            id: string;
            livemode: boolean;
            /** @enum {string} */
            status: "running" | "done" | "canceled";
            /** @description Events that were missing when it began, among the first 100,000 of the range. */
            total: number;
            /** @description Deliveries that it has begun so far. */
            queued: number;
            per_second: number;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            /**
             * @description recovery: what an endpoint missed is delivered again.
             * @constant
             */
            kind: "recovery";
            tenant_id: string;
            endpoint_id: string;
        };
        ListedPack: {
            id: string;
            livemode: boolean;
            key: string | null;
            name: string;
            credits: number;
            /** @description In the smallest unit of the currency. */
            amount: number;
            currency: string;
            active: boolean;
            /** @description Of Stripe: what it is sold at. null until Stripe has it. */
            price_id: string | null;
            product_id: string | null;
            /** @description Stripe has not been told of the last change yet: until then it is sold on its former terms. */
            sync_pending: boolean;
            /** @description Why the last try to tell Stripe failed. */
            sync_error: {
                code: string;
                message: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            tenant_id: string;
            /** @description What is different at Stripe: ours is right, and the next sync mends it. */
            drift: string[];
        };
        ListedPlan: {
            id: string;
            livemode: boolean;
            key: string | null;
            name: string;
            /** @description As `amount`. */
            price: number;
            /** @description In the smallest unit of the currency. */
            amount: number;
            currency: string;
            /** @enum {string} */
            billing_interval: "day" | "week" | "month" | "year";
            interval_count: number;
            is_active: boolean;
            features: string[];
            plan_group: string;
            trial_days: number | null;
            /** @description Of Stripe: what it is sold at. null until Stripe has it. */
            price_id: string | null;
            product_id: string | null;
            /** @description Stripe has not been told of the last change yet: until then it is sold on its former terms. */
            sync_pending: boolean;
            /** @description Why the last try to tell Stripe failed. */
            sync_error: {
                code: string;
                message: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            tenant_id: string;
            /** @description What is different at Stripe: ours is right, and the next sync mends it. */
            drift: string[];
        };
        ListedPurchase: {
            id: string;
            tenant_id: string;
            livemode: boolean;
            account_id: string;
            account_email: string | null;
            pack_id: string | null;
            /** @description Its name. */
            credit_pack: string | null;
            quantity: number;
            credits: number;
            /** @description Of all packs together, in the smallest unit of the currency. */
            price: number;
            currency: string;
            /** @enum {string} */
            state: "pending" | "paid" | "canceled";
            stripe_session_id: string | null;
            payment_intent_id: string | null;
            charge_id: string | null;
            /** @description null: the platform's own. */
            stripe_account: string | null;
            /** Format: date-time */
            created_at: string;
            settled_at: string | null;
        };
        ListedTenant: {
            id: string;
            company_name: string;
            domain: string | null;
            platform: boolean;
            /** @description null: that of the configuration. */
            application_fee_percent: number | null;
            members: number;
            stripe_account_live: string | null;
            /** @description null: not connected. */
            stripe_status_live: string | null;
            stripe_account_test: string | null;
            stripe_status_test: string | null;
            /** Format: date-time */
            created_at: string;
        };
        ListedUser: {
            id: string;
            email: string;
            name: string | null;
            email_verified: boolean;
            tenants: {
                id: string;
                role: string;
            }[];
            /** Format: date-time */
            created_at: string;
        };
        LogEntry: {
            event_id: string;
            type: string;
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            received_at: string;
            object_type: string;
            object_id: string | null;
            livemode: boolean;
            account: string | null;
            /** @enum {string} */
            source: "webhook" | "pull";
            /** @description The object's row says what this observation says. */
            head: boolean;
            changes: components["schemas"]["Change"][];
        };
        Mail: {
            id: string;
            tenant_id: string | null;
            to: string;
            template: string;
            /**
             * @description kept: there is no mail server, it is read here.
             * @enum {string}
             */
            status: "queued" | "sent" | "failed" | "dropped" | "kept";
            /** @description late: it was due too long ago; no_longer_true: an invoice was paid meanwhile, and the like. */
            dropped_because: ("late" | "no_longer_true") | null;
            attempts: number;
            /** @description The mail server's words. */
            last_answer: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            next_attempt_at: string | null;
        };
        MailDetail: {
            id: string;
            tenant_id: string | null;
            to: string;
            template: string;
            /**
             * @description kept: there is no mail server, it is read here.
             * @enum {string}
             */
            status: "queued" | "sent" | "failed" | "dropped" | "kept";
            /** @description late: it was due too long ago; no_longer_true: an invoice was paid meanwhile, and the like. */
            dropped_because: ("late" | "no_longer_true") | null;
            attempts: number;
            /** @description The mail server's words. */
            last_answer: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            next_attempt_at: string | null;
            attempt_list: {
                attempt: number;
                /** Format: date-time */
                at: string;
                outcome: ("sent" | "refused" | "retry" | "dropped") | null;
                answer: string | null;
            }[];
            /** @description Only of a kept mail. In production addresses that are a person's key are left out. */
            content: {
                subject: string;
                text: string;
                html: string;
            } | null;
        };
        Me: {
            id: string;
            email: string;
            name: string | null;
            email_verified: boolean;
            /** Format: date-time */
            created_at: string;
            /** @description The own account at the platform, in the request's mode: see `GET /account/`. */
            account: {
                id: string;
                livemode: boolean;
                credit_balance: number;
                is_trial_user: boolean;
                /** @enum {string} */
                status: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
            };
            tenants: {
                id: string;
                company_name: string;
                /** @enum {string} */
                role: "owner" | "admin" | "member";
                platform: boolean;
            }[];
        };
        Member: {
            /** @description The person's id, or the invitation's. */
            id: string;
            email: string | null;
            name: string | null;
            /** @enum {string} */
            role: "owner" | "admin" | "member";
            /** @enum {string} */
            status: "active" | "invited";
            /** Format: date-time */
            created_at: string;
            /** @description When an invitation ends. */
            expires_at: string | null;
        };
        Message: {
            message: string;
        };
        OfferSync: {
            dry_run: boolean;
            actions: {
                tenant_id: string;
                livemode: boolean;
                /** @enum {string} */
                kind: "credit_pack" | "plan";
                /** @description null: it would be made. */
                id: string | null;
                key: string | null;
                name: string;
                /** @enum {string} */
                at: "billhook" | "stripe";
                action: string;
            }[];
            failures: {
                tenant_id: string;
                id: string | null;
                name: string;
                code: string;
                message: string;
            }[];
        };
        OpenSession: {
            id: string;
            /** @description The address that it was begun from. */
            source: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_used_at: string;
            /** Format: date-time */
            expires_at: string;
            /** @description The one that asks. */
            current: boolean;
        };
        Overview: {
            received: {
                total: number;
                total_is_estimate: boolean;
                /** @description By the events' own time. */
                last_hour: number;
                last_day: number;
            };
            pending: number;
            failed: number;
            unrouted: number;
            ignored: number;
            /** @description Of everything in the queue, also what waits for a retry. */
            oldest_unprocessed_age_seconds: number;
            /** @description How long the oldest event that was tried at most once has waited. */
            lag_seconds: number;
            ambiguous_rows: number;
            rows_with_unread_fields: number;
            /** @description Paid sessions that belong to no purchase of ours. */
            unmatched_purchases: {
                /** @description Wait for a person's decision: see `GET /api/v1/admin/unmatched-purchases/`. */
                open: number;
                resolving: number;
            };
            /** @description Of webhooks to tenants. */
            deliveries: {
                /** @description Within the last hour. */
                delivered: number;
                /** @description Given up within the last hour. */
                failed: number;
                /** @description More than 100,000 have ended: the latest were counted. */
                counts_are_partial: boolean;
                pending: number;
                /** @description Since the one that waits the longest was queued. */
                oldest_pending_age_seconds: number;
                disabled_endpoints: number;
            };
        };
        OverviewSeries: {
            /** @enum {string} */
            range: "hour" | "day" | "month";
            step_seconds: number;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
            livemode: boolean;
            /** @description When money and credits of today were counted. */
            as_of: string | null;
            /** @description Of both modes, by when we did so; the last seconds may be missing. */
            stripe_events: {
                /** Format: date-time */
                at: string;
                received: number;
                processed: number;
                failed: number;
            }[];
            /** @description Of webhooks to tenants, of both modes, by when they ended; the last seconds may be missing. */
            deliveries: {
                /** Format: date-time */
                at: string;
                delivered: number;
                /** @description Given up. */
                failed: number;
            }[];
            /** @description Of both modes: the greatest of each step of what `GET /api/v1/admin/overview/` calls so. Every process looks every 5 seconds; null: none did. */
            waits: {
                /** Format: date-time */
                at: string;
                lag_seconds: number | null;
                oldest_unprocessed_age_seconds: number | null;
            }[];
            /** @description By day, of the month only: counted every minute for today and yesterday, else every hour. */
            revenue: {
                currency: string;
                points: {
                    /** Format: date-time */
                    at: string;
                    /** @description Paid on the platform's own account, before refunds. */
                    gross: number;
                    /** @description Given back there on that day. */
                    refunded: number;
                    /** @description The platform's share of what was paid on connected accounts. */
                    fees: number;
                    /** @description Paid on connected accounts. */
                    connected: number;
                    payments: number;
                }[];
            }[];
            /** @description As `revenue`. */
            credits: {
                /** Format: date-time */
                at: string;
                granted: number;
                bought: number;
                spent: number;
                reversed: number;
                expired: number;
            }[];
        };
        OwnAccount: {
            id: string;
            livemode: boolean;
            email: string | null;
            name: string | null;
            /** @description Below zero after a refund or dispute of credits that were spent. */
            credit_balance: number;
            is_trial_user: boolean;
            /** @enum {string} */
            status: "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";
            period_end: string | null;
            trial_end: string | null;
            subscription: {
                id: string;
                status: string | null;
                price_id: string | null;
                quantity: number | null;
                current_period_end: string | null;
                trial_end: string | null;
                /** @description When it ends, if it was canceled. */
                cancel_at: string | null;
            } | null;
            default_payment_method: {
                id: string;
                type: string | null;
                brand: string | null;
                last4: string | null;
                exp_month: number | null;
                exp_year: number | null;
            } | null;
            tenant: {
                id: string;
                company_name: string;
            };
            /** Format: date-time */
            created_at: string;
        };
        OwnInvoice: {
            id: string;
            number: string | null;
            /** @description Stripe's: open, paid, void or uncollectible. */
            status: string | null;
            total: number | null;
            amount_due: number | null;
            amount_paid: number | null;
            currency: string | null;
            hosted_invoice_url: string | null;
            invoice_pdf: string | null;
            due_at: string | null;
            paid_at: string | null;
            created_at: string | null;
        };
        OwnSubscription: {
            id: string;
            /** @constant */
            object: "subscription";
            status: string | null;
            plan: {
                id: string;
                name: string;
            } | null;
            price_id: string | null;
            quantity: number | null;
            current_period_end: string | null;
            trial_end: string | null;
            /** @description It ends by itself, at `cancel_at`. */
            cancel_scheduled: boolean;
            cancel_at: string | null;
        };
        OwnTerms: {
            /** @description Of what is paid, unless an invoice says otherwise. */
            application_fee_percent: number;
        };
        Payment: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_payment_intent_id: string | null;
            customer_email: string | null;
            status: string | null;
            currency: string | null;
            amount: number | null;
            amount_received: number | null;
            amount_capturable: number | null;
            application_fee_amount: number | null;
            customer_id: string | null;
            customer_account_id: string | null;
            payment_method_id: string | null;
            latest_charge_id: string | null;
            invoice_id: string | null;
            capture_method: string | null;
            setup_future_usage: string | null;
            next_action: string | null;
            last_payment_error_code: string | null;
            last_payment_error_decline_code: string | null;
            last_payment_error_message: string | null;
            canceled_at: string | null;
            cancellation_reason: string | null;
            receipt_email: string | null;
            description: string | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        PaymentDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_payment_intent_id: string | null;
            customer_email: string | null;
            status: string | null;
            currency: string | null;
            amount: number | null;
            amount_received: number | null;
            amount_capturable: number | null;
            application_fee_amount: number | null;
            customer_id: string | null;
            customer_account_id: string | null;
            payment_method_id: string | null;
            latest_charge_id: string | null;
            invoice_id: string | null;
            capture_method: string | null;
            setup_future_usage: string | null;
            next_action: string | null;
            last_payment_error_code: string | null;
            last_payment_error_decline_code: string | null;
            last_payment_error_message: string | null;
            canceled_at: string | null;
            cancellation_reason: string | null;
            receipt_email: string | null;
            description: string | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        PaymentMethodSetup: {
            /** @description For the Payment Element. */
            client_secret: string | null;
            setup_intent_id: string;
            status_url: string;
            /** @description For Stripe.js; null: the page has its own. */
            publishable_key: string | null;
            /** @description For Stripe.js; null: the platform's own account. */
            stripe_account: string | null;
            /** @description The sandbox that stands in for Stripe; null: it is Stripe. */
            sandbox_url: string | null;
        };
        PaymentStatus: {
            id: string;
            /** @enum {string} */
            object: "checkout.session" | "payment_intent" | "setup_intent" | "subscription" | "invoice";
            /**
             * @description `pending`: wait · `action_required`: the person must do something, such as confirm with their bank · `failed`: it may be tried again · `succeeded`, `expired`, `canceled`: the end.
             * @enum {string}
             */
            status: "pending" | "action_required" | "succeeded" | "failed" | "expired" | "canceled";
            /** @description The object's own status at Stripe. */
            stripe_status: string | null;
            result: {
                /** @description 0 until it is paid; null where nothing of the kind was bought. */
                credits_added: number | null;
                credit_balance: number | null;
                subscription_status: string | null;
                invoice_status: string | null;
            };
            failure: {
                code: string;
                message: string;
            } | null;
            /**
             * @description `stripe`: we asked; no event had told it by then.
             * @enum {string}
             */
            source: "webhook" | "stripe";
            /** Format: date-time */
            updated_at: string;
        };
        Plan: {
            id: string;
            livemode: boolean;
            key: string | null;
            name: string;
            /** @description As `amount`. */
            price: number;
            /** @description In the smallest unit of the currency. */
            amount: number;
            currency: string;
            /** @enum {string} */
            billing_interval: "day" | "week" | "month" | "year";
            interval_count: number;
            is_active: boolean;
            features: string[];
            plan_group: string;
            trial_days: number | null;
            /** @description Of Stripe: what it is sold at. null until Stripe has it. */
            price_id: string | null;
            product_id: string | null;
            /** @description Stripe has not been told of the last change yet: until then it is sold on its former terms. */
            sync_pending: boolean;
            /** @description Why the last try to tell Stripe failed. */
            sync_error: {
                code: string;
                message: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        Recovery: {
            id: string;
            livemode: boolean;
            /** @enum {string} */
            status: "running" | "done" | "canceled";
            /** @description Events that were missing when it began, among the first 100,000 of the range. */
            total: number;
            /** @description Deliveries that it has begun so far. */
            queued: number;
            per_second: number;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            /** @constant */
            object: "recovery";
            endpoint_id: string;
        };
        Refund: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_refund_id: string | null;
            customer_id: string | null;
            customer_email: string | null;
            status: string | null;
            currency: string | null;
            amount: number | null;
            charge_id: string | null;
            payment_intent_id: string | null;
            reason: string | null;
            failure_reason: string | null;
            pending_reason: string | null;
            balance_transaction_id: string | null;
            failure_balance_transaction_id: string | null;
            transfer_reversal_id: string | null;
            receipt_number: string | null;
            description: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        RefundDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_refund_id: string | null;
            customer_id: string | null;
            customer_email: string | null;
            status: string | null;
            currency: string | null;
            amount: number | null;
            charge_id: string | null;
            payment_intent_id: string | null;
            reason: string | null;
            failure_reason: string | null;
            pending_reason: string | null;
            balance_transaction_id: string | null;
            failure_balance_transaction_id: string | null;
            transfer_reversal_id: string | null;
            receipt_number: string | null;
            description: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        SearchHit: {
            /** @enum {string} */
            kind: "account" | "tenant" | "user" | "api_key" | "webhook_endpoint" | "event" | "delivery" | "connected_invoice" | "credit_entry" | "credit_pack" | "plan" | "credit_purchase" | "mail" | "stripe_event" | "customer" | "subscription" | "invoice" | "payment" | "refund" | "dispute" | "stripe_object" | "unmatched_purchase";
            id: string;
            title: string;
            subtitle: string | null;
            /** @description null: it belongs to no mode. */
            livemode: boolean | null;
            stripe_account: string | null;
            tenant_id: string | null;
            account_id: string | null;
            /** @description Of Stripe's objects. */
            object_type: string | null;
        };
        Session: {
            user: components["schemas"]["User"];
            tokens: components["schemas"]["Tokens"];
        };
        SoldPack: {
            id: string;
            name: string;
            credits: number;
            /** @description Minor units, for one pack. */
            amount: number;
            currency: string;
            price_id: string;
        };
        StartedCheckout: {
            /** @description Stripe's page, for the buyer's browser. Null when this request was repeated and it has ended. */
            checkout_url: string | null;
            session_id: string;
            /** @description How the payment stands: whoever has it may ask, for a day. */
            status_url: string;
        };
        StartedSubscription: {
            /** @description Where the person pays, in the mode `checkout`. */
            checkout_url?: string | null;
            session_id?: string;
            /** @description For the Payment Element, in the mode `elements`; null: there is nothing to pay. */
            client_secret?: string | null;
            subscription_id?: string;
            status_url: string;
            publishable_key?: string | null;
            stripe_account?: string | null;
            sandbox_url?: string | null;
        };
        StripeEvent: {
            id: string;
            stripe_event_id: string;
            type: string;
            /** @description The same as `type`. */
            event_type: string;
            /** @enum {string} */
            status: "pending" | "processed" | "failed" | "ignored" | "unrouted";
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            api_version: string | null;
            object_type: string;
            object_id: string | null;
            customer_id: string | null;
            tenant_id: string | null;
            /** @enum {string} */
            source: "webhook" | "pull";
            /**
             * Format: date-time
             * @description When it happened, by Stripe.
             */
            created: string;
            /**
             * Format: date-time
             * @description When it was stored.
             */
            created_at: string;
            attempts: number;
            last_error: string | null;
        };
        StripeEventDetail: {
            id: string;
            stripe_event_id: string;
            type: string;
            /** @description The same as `type`. */
            event_type: string;
            /** @enum {string} */
            status: "pending" | "processed" | "failed" | "ignored" | "unrouted";
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            api_version: string | null;
            object_type: string;
            object_id: string | null;
            customer_id: string | null;
            tenant_id: string | null;
            /** @enum {string} */
            source: "webhook" | "pull";
            /**
             * Format: date-time
             * @description When it happened, by Stripe.
             */
            created: string;
            /**
             * Format: date-time
             * @description When it was stored.
             */
            created_at: string;
            attempts: number;
            last_error: string | null;
            /** @description The object's row says what this event says. */
            head: boolean;
            /** @description What it changed of its object. */
            changes: components["schemas"]["Change"][];
            failed_attempts: {
                attempt: number;
                /** Format: date-time */
                at: string;
                error: string;
            }[];
            /** @description As received, digit for digit. */
            payload: unknown;
        };
        StripeObject: {
            id: string;
            livemode: boolean;
            account: string | null;
            object_type: string;
            table: string;
            /**
             * @description `pending`: an event, or the object itself, asked of Stripe, waits to be processed. `failed`: it can be replayed. `unrouted`: its account is connected to no tenant. `unknown`: events named it, and none brought it.
             * @enum {string}
             */
            row_status: "stored" | "pending" | "failed" | "unrouted" | "unknown";
            /** @description Null unless `stored`. */
            row: {
                [key: string]: unknown;
            } | null;
            /** @description The newest snapshot, as Stripe wrote it. */
            snapshot: unknown;
            /** @description Newest first; the billing log has the rest. */
            story: {
                data: components["schemas"]["LogEntry"][];
                has_more: boolean;
                next_cursor: string | null;
            };
            /** @description The same id elsewhere: ask with `account` and `livemode`. */
            others: {
                livemode: boolean;
                account: string | null;
                object_type: string;
            }[];
        };
        Subscription: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_subscription_id: string | null;
            customer_email: string | null;
            user: string | null;
            plan_id: string | null;
            status: string | null;
            customer_id: string | null;
            customer_account_id: string | null;
            price_id: string | null;
            product_id: string | null;
            quantity: number | null;
            currency: string | null;
            current_period_start: string | null;
            current_period_end: string | null;
            trial_start: string | null;
            trial_end: string | null;
            cancel_at: string | null;
            cancel_at_period_end: boolean | null;
            cancel_scheduled: boolean | null;
            canceled_at: string | null;
            cancellation_reason: string | null;
            ended_at: string | null;
            start_date: string | null;
            pause_behavior: string | null;
            pause_resumes_at: string | null;
            collection_method: string | null;
            days_until_due: number | null;
            latest_invoice_id: string | null;
            default_payment_method_id: string | null;
            default_source_id: string | null;
            pending_setup_intent_id: string | null;
            schedule_id: string | null;
            coupon_id: string | null;
            discount_id: string | null;
            /** @description A decimal number. */
            application_fee_percent: string | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
        };
        SubscriptionDetail: {
            id: string;
            livemode: boolean;
            /** @description The connected account; null for the platform's own. */
            account: string | null;
            tenant_id: string | null;
            deleted: boolean;
            stripe_subscription_id: string | null;
            customer_email: string | null;
            user: string | null;
            plan_id: string | null;
            status: string | null;
            customer_id: string | null;
            customer_account_id: string | null;
            price_id: string | null;
            product_id: string | null;
            quantity: number | null;
            currency: string | null;
            current_period_start: string | null;
            current_period_end: string | null;
            trial_start: string | null;
            trial_end: string | null;
            cancel_at: string | null;
            cancel_at_period_end: boolean | null;
            cancel_scheduled: boolean | null;
            canceled_at: string | null;
            cancellation_reason: string | null;
            ended_at: string | null;
            start_date: string | null;
            pause_behavior: string | null;
            pause_resumes_at: string | null;
            collection_method: string | null;
            days_until_due: number | null;
            latest_invoice_id: string | null;
            default_payment_method_id: string | null;
            default_source_id: string | null;
            pending_setup_intent_id: string | null;
            schedule_id: string | null;
            coupon_id: string | null;
            discount_id: string | null;
            /** @description A decimal number. */
            application_fee_percent: string | null;
            on_behalf_of: string | null;
            transfer_destination: string | null;
            metadata: unknown;
            /** @description Several states tied: the object is being fetched from Stripe. */
            order_ambiguous: boolean;
            created_at: string | null;
            /** Format: date-time */
            updated_at: string;
            /** @description Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event. */
            unread_fields: string[];
            /** @description The newest snapshot, as Stripe wrote it. */
            data: unknown;
        };
        Tenant: {
            id: string;
            company_name: string;
            domain: string | null;
            stripe_connect_account_id: string | null;
            stripe_connect_status: string;
            /** Format: date-time */
            created_at: string;
        };
        TenantTerms: {
            id: string;
            company_name: string;
            platform: boolean;
            /** @description null: `PLATFORM_FEE_PERCENT`. */
            application_fee_percent: number | null;
            /** Format: date-time */
            created_at: string;
        };
        TimelineItem: {
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            kind: "stripe_event" | "event" | "delivery" | "credit_entry" | "purchase" | "mail";
            id: string;
            /** @description The type of an event, a credit entry or a mail; of a delivery its endpoint. */
            title: string;
            /** @description Of a Stripe event: how it says that its object stands. */
            status: string | null;
            /** @description How the processing of a Stripe event stands; null of everything else. */
            outcome: string | null;
            /** @description Minor units of `currency`. */
            amount: number | null;
            currency: string | null;
            credits: number | null;
            balance_after: number | null;
            livemode: boolean;
            tenant_id: string | null;
            account_id: string | null;
            stripe_account: string | null;
            object_type: string | null;
            object_id: string | null;
            /** @description What it leads to, as the search names kinds. */
            links: {
                kind: string;
                id: string;
            }[];
        };
        Tokens: {
            /** @description A JWT for 15 minutes; its keys are at `/.well-known/jwks.json`. */
            access: string;
            /** @description For 30 days, once; null when it went into the cookie. */
            refresh: string | null;
        };
        UnmatchedPurchase: {
            id: string;
            /**
             * @description `resolving`: Stripe is asked what was bought · `open`: a person must decide · `matched`: its buyer was clear · `foreign`: no sale of credits · `assigned`, `dismissed`: decided.
             * @enum {string}
             */
            status: "resolving" | "open" | "matched" | "foreign" | "assigned" | "dismissed";
            /** @description `email_known`: somebody has this address, which proves nothing · `no_buyer`, `no_email`: nobody is named · `amount_differs`: another sum or currency than the pack's · `pack_inactive`: it is sold no more · `older_than_pack`: it was made before its price was known here · `other_items`: not credits alone · `session_missing`: Stripe does not know it. */
            reason: ("no_buyer" | "email_known" | "no_email" | "amount_differs" | "pack_inactive" | "older_than_pack" | "other_items" | "session_missing") | null;
            tenant_id: string;
            livemode: boolean;
            /** @description Null: the platform's own. */
            stripe_account: string | null;
            session_id: string;
            email: string | null;
            name: string | null;
            amount_subtotal: number | null;
            amount_total: number | null;
            currency: string | null;
            credits: number | null;
            credit_pack_id: string | null;
            lines: {
                price_id: string | null;
                description: string | null;
                quantity: number;
                amount: number;
                pack_id: string | null;
            }[] | null;
            /** @description Accounts of the tenant with this address, which anybody may have typed. */
            candidates: {
                account_id: string;
                /** @description Null: nobody signs in to it. */
                email_verified: boolean | null;
            }[];
            account_id: string | null;
            purchase_id: string | null;
            /** Format: date-time */
            created_at: string;
            decided_at: string | null;
        };
        User: {
            id: string;
            email: string;
            name: string | null;
            email_verified: boolean;
            /** Format: date-time */
            created_at: string;
        };
        WebhookEndpoint: {
            id: string;
            /** @constant */
            object: "webhook_endpoint";
            /** @description null: of the first endpoint, while it has none. */
            url: string | null;
            description: string | null;
            enabled_events: string[];
            /** @description The mode whose events it takes; null: both. A key may only say its own. */
            livemode: boolean | null;
            /**
             * @description none: events may arrive in any order · per_object: an event of an object waits until the older one of it has ended. A change counts for events told from then on.
             * @enum {string}
             */
            ordering: "none" | "per_object";
            /** @description Whether it is the one of `/api/v1/auth/tenants/webhooks/config/`. */
            first: boolean;
            /** @enum {string} */
            status: "enabled" | "disabled";
            /** @description by_tenant: one of you did it · gone: it answered 410 · failing: nothing was delivered for days. */
            disabled_reason: ("by_tenant" | "gone" | "failing") | null;
            disabled_at: string | null;
            /** @description Since when every attempt has failed. */
            failing_since: string | null;
            /** @description Whole where it was made by this request, else as `whsec_****...MnOp`. */
            secret: string;
            /** @description When replaced secrets and their ed25519 keys stop: until then deliveries are signed with them too. */
            previous_secrets_until: string[];
            /**
             * @description v1: HMAC with the secret · v1a: an ed25519 signature beside it, to be verified with `public_key`.
             * @enum {string}
             */
            signature: "v1" | "v1a";
            /** @description `whpk_…`, for `v1a` signatures. Replaced with the secret. */
            public_key: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        WebhookEndpointStatistics: {
            endpoint_id: string;
            livemode: boolean;
            /** Format: date-time */
            since: string;
            /** @description Of the events since then. */
            deliveries: {
                delivered: number;
                failed: number;
                canceled: number;
                pending: number;
            };
            /** @description Only the newest 100,000 deliveries were looked at. */
            counts_are_partial: boolean;
            attempts: {
                succeeded: number;
                failed: number;
            };
            /** @description How long the receiver took to answer 2xx; null: it never did. */
            latency_ms: {
                p50: number | null;
                p95: number | null;
            };
            /** @description Since it was queued, of all that wait; null: nothing does. */
            oldest_pending_age_seconds: number | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
