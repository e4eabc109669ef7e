// Misspelt variables stop the start; those that other programs, shells and CI set do not.
import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { ourNearMisses } from "./config-names.ts";
import { CONFIG_VARIABLES } from "./config-variables.ts";
import { type Environment, readConfig } from "./config.ts";

const SECRET_KEY = "k".repeat(32);

/** What is wrong, by variable. */
function problems(env: Environment): Record<string, string> {
  try {
    readConfig(env);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
}

const OTHERS = {
  "systems and shells": `PATH HOME USER LOGNAME SHELL PWD OLDPWD LANG LC_ALL LC_CTYPE TERM TERM_PROGRAM COLORTERM EDITOR
    VISUAL PAGER MAIL MAILCHECK MAILPATH TMPDIR TEMP TMP TZ UID EUID PPID SHLVL HOSTNAME HOSTTYPE OSTYPE MACHTYPE DISPLAY
    PS1 IFS HISTFILE HISTSIZE SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK SUDO_USER SUDO_COMMAND XDG_DATA_DIRS XDG_DATA_HOME
    XDG_RUNTIME_DIR XDG_CONFIG_DIRS DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM LISTEN_FDS NOTIFY_SOCKET
    STATE_DIRECTORY LOGS_DIRECTORY RUNTIME_DIRECTORY CREDENTIALS_DIRECTORY WATCHDOG_USEC MAINPID MANAGERPID SYSTEMD_EXEC_PID
    http_proxy https_proxy no_proxy HTTP_PROXY NO_PROXY ALL_PROXY _ LS_COLORS LESSOPEN PORTAL REPORT GHOST HOSTS`,
  Windows: `ALLUSERSPROFILE APPDATA LOCALAPPDATA CommonProgramFiles COMPUTERNAME ComSpec DriverData HOMEDRIVE HOMEPATH
    LOGONSERVER NUMBER_OF_PROCESSORS OS Path PATHEXT PROCESSOR_ARCHITECTURE ProgramData ProgramFiles PROMPT PSModulePath
    PUBLIC SESSIONNAME SystemDrive SystemRoot USERDOMAIN USERNAME USERPROFILE windir`,
  "Node, npm and their neighbours": `NODE NODE_EXE NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_VERSION NODE_DEBUG NODE_HOME
    NODE_BIN NODE_MODULES NODE_DEV NODE_INDEX NODE_RED NODE_NAME NODE_IP NODE_ID NVM_DIR NVM_BIN NVM_INC NPM_TOKEN NPM_CLI_JS
    INIT_CWD npm_command npm_config_cache npm_config_user_agent npm_config_node_gyp npm_execpath npm_lifecycle_event
    npm_lifecycle_script npm_node_execpath npm_package_json npm_package_name npm_package_version npm_package_config_log_level
    YARN_VERSION PNPM_HOME COREPACK_ROOT VOLTA_HOME FNM_DIR VITEST VITEST_WORKER_ID TEST DEV PROD MODE BASE_URL`,
  "CI and hosts": `CI GITHUB_ACTIONS GITHUB_TOKEN RUNNER_TEMP RUNNER_OS GITLAB_CI CI_PROJECT_NAME CI_JOB_ID CIRCLECI
    CIRCLE_PROJECT_REPONAME JENKINS_URL JENKINS_HOME BUILD_NUMBER BUILD_URL JOB_NAME JOB_URL NODE_LABELS WORKSPACE
    EXECUTOR_NUMBER TRAVIS BITBUCKET_COMMIT TF_BUILD SYSTEM_TEAMPROJECT DYNO HEROKU_APP_NAME RENDER FLY_APP_NAME
    RAILWAY_PUBLIC_DOMAIN RAILWAY_PROJECT_NAME VERCEL_URL NETLIFY DEPLOY_URL AWS_REGION AWS_LAMBDA_LOG_FORMAT
    ECS_CONTAINER_METADATA_URI K_SERVICE KUBERNETES_PORT KUBERNETES_SERVICE_HOST DOCKER_HOST COMPOSE_PROJECT_NAME container
    GOOGLE_CLOUD_PROJECT WEBSITE_SITE_NAME PROJECT_NAME PROJECT_ID`,
  "other programs": `LOG_DIR LOG_PATH LOG_FILTER LOG_SIZE LOG_TIME LOG_NAME LOG_TO LOG_COLOR LOGFILE LOGLEVEL LOG RUST_LOG
    IMG_FORMAT DATA_URL DATA_PATH DATA_HOME DATA_SOURCE_NAME DATADIR PGDATA PGHOST PGPORT PGUSER API_KEY API_URL API_BASE
    API_KEY_ID API_KEYS PUBLIC_KEY PUBLIC_IP PUBLIC_DIR PUBLIC_PATH PUBLIC_HOST RATE RATE_LIMIT RATE_LIMIT_MAX TRIAL TRIAL_DAYS
    PRODUCT PRODUCT_ID PRODUCT_CODE PRODUCT_TYPE CODE_ENV MODE_ENV APP_ENV PLATFORM PLATFORM_URL DRIFT_URL CATCH_ALL
    SUBSCRIPTIONS_URL STRIPE_CLI_TELEMETRY_OPTOUT STRIPE_DEVICE_NAME STRIPE_API_KEY DATABASE_USER DATABASE_PASSWORD WORKDIR
    WORK_DIR SMTP_HOST SMTP_USER MAIL_HOST SECRET_KEY_BASE OTEL_SERVICE_NAME DEBUG NO_COLOR FORCE_COLOR`,
};

describe("misspelt variables", () => {
  it.each([
    ["STRIPE_WEBHOOK_SECRETS", "STRIPE_WEBHOOK_SECRET"],
    ["STRIPE_WEBHOK_SECRET", "STRIPE_WEBHOOK_SECRET"],
    ["DATABASE_URI", "DATABASE_URL"],
    ["Work_Lease_Seconds", "WORK_LEASE_SECONDS"],
    ["BILLHOOK_ROLE", "BILLHOOK_ROLES"],
    ["RECEIVE_MAX_WAITNG", "RECEIVE_MAX_WAITING"],
    ["PLATFORM_FEE_PERCNT", "PLATFORM_FEE_PERCENT"],
    ["PLATFROM_FEE_PERCENT", "PLATFORM_FEE_PERCENT"],
    ["PUBLIC_URI", "PUBLIC_URL"],
    ["TRIAL_CREDIT", "TRIAL_CREDITS"],
    ["LOG_FORMATT", "LOG_FORMAT"],
    ["LOG_LEVLE", "LOG_LEVEL"],
    ["LOG_FILES", "LOG_FILE"],
    ["DATA_DIRR", "DATA_DIR"],
    ["NODE_EVN", "NODE_ENV"],
    ["RATE_LIMIT_PER_KEYS", "RATE_LIMIT_PER_KEY"],
    ["RATELIMIT_PER_TENANT", "RATE_LIMIT_PER_TENANT"],
    ["CATCHUP_EVERY_SECONDS", "CATCH_UP_EVERY_SECONDS"],
    ["DRIFT_EVERY_SECOND", "DRIFT_EVERY_SECONDS"],
    ["API_KEY_PREFX", "API_KEY_PREFIX"],
    ["PRODUKT_NAME", "PRODUCT_NAME"],
    ["SUBSCRIPTION_PER_GROUP", "SUBSCRIPTIONS_PER_GROUP"],
  ])("%s stops the start and names %s", (name, meant) => {
    expect(problems({ [name]: "x" })[name]).toContain(`did you mean ${meant}?`);
  });

  it("beside the variable that it resembles it is only warned of", () => {
    const config = readConfig({ SECRET_KEY, DATABASE_URL: "postgres://db/billhook", DATABASE_URI: "sqlite://" });
    expect(config.warnings).toEqual(["DATABASE_URI is not read; DATABASE_URL is"]);
  });

  it.each(Object.entries(OTHERS))("those of %s are left alone", (_, names) => {
    expect(problems(Object.fromEntries(names.split(/\s+/).map((name) => [name, "x"])))).toEqual({});
  });

  it("what Kubernetes sets for a service named webhook is left alone, and a slip of the same name is not", () => {
    expect(problems({ WEBHOOK_PORT: "tcp://10.96.0.12:80", WEBHOOK_SERVICE_HOST: "10.96.0.12" })).toEqual({});
    expect(Object.keys(problems({ WEBHOOK_PORT: "8443" }))).toEqual(["WEBHOOK_PORT"]);
  });

  it("no variable of ours is taken for another one", () => {
    for (const { name } of CONFIG_VARIABLES) expect(ourNearMisses({ [name]: "x" })).toEqual([]);
  });
});
