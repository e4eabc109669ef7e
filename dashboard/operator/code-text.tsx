// Sentences in which `such marks` stand around code: shown as code.
import type { ReactNode } from "react";

export function CodeText({ text }: { text: string }): ReactNode {
  return text.split("`").map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      <code key={index} className="bh-code">
        {part}
      </code>
    ),
  );
}
