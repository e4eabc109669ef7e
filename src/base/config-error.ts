// Everything that is wrong with the configuration, told at once.

export interface ConfigProblem {
  variable: string;
  /** A sentence that says what is wrong and what to do. Never a secret's value. */
  problem: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, problem }) => `  ${variable}: ${problem}`);
    super(
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${lines.join("\n")}`,
    );
    this.problems = problems;
  }
}
