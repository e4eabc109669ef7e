// Secrets that are shown this once: each with its button to copy it, gone when it is said that they are stored.
import { Button, Checkbox } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { CopyButton } from "./id-text.tsx";

export interface SecretOnceProps {
  secrets: readonly { label: string; value: string }[];
  /** After "I have stored it": forget the secrets. */
  done: () => void;
  /** Of the button that goes on. */
  action?: string;
}

export function SecretOnce({ secrets, done, action = "Go on" }: SecretOnceProps): ReactNode {
  const [stored, setStored] = useState(false);
  return (
    <div className="bh-stack">
      <p>
        {secrets.length === 1 ? "This is shown once: store it now." : "These are shown once: store them now."} Whoever
        has {secrets.length === 1 ? "it" : "them"} can act for you.
      </p>
      <dl className="bh-secrets">
        {secrets.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <code className="bh-mono">{value}</code>
              <CopyButton text={value} label={`Copy ${label}`} />
            </dd>
          </div>
        ))}
      </dl>
      <Checkbox
        label={secrets.length === 1 ? "I have stored it" : "I have stored them"}
        checked={stored}
        onChange={({ currentTarget }) => setStored(currentTarget.checked)}
      />
      <Button disabled={!stored} onClick={done}>
        {action}
      </Button>
    </div>
  );
}
