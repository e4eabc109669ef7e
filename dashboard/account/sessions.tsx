// Where a person is signed in, each place with a button that ends it.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useAct, useOwnApi, useRead } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";

type OpenSession = components["schemas"]["OpenSession"];

export function Sessions(): ReactNode {
  const own = useOwnApi();
  const sessions = useRead(["sessions"], (_api, signal) => own.get("/api/v1/auth/sessions/", { signal }));
  const end = useAct(
    (_api, { id }: OpenSession) => own.delete("/api/v1/auth/sessions/{id}/", { params: { path: { id } } }),
    { done: "That session has ended." },
  );
  return (
    <Loaded of={sessions} lines={4}>
      {({ data }) => (
        <div className="bh-stack">
          <ErrorNote error={end.error} />
          <div className="bh-table-box">
            <table className="bh-table bh-sessions" aria-label="Sessions">
              <thead>
                <tr>
                  {["From", "Begun", "Last used", "Ends", "State"].map((label) => (
                    <th key={label} scope="col">
                      {label}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.map((session) => (
                  <OneSession
                    key={session.id}
                    session={session}
                    end={() => end.mutate(session)}
                    isBusy={end.isPending}
                  />
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </Loaded>
  );
}

function OneSession({ session, end, isBusy }: { session: OpenSession; end: () => void; isBusy: boolean }): ReactNode {
  const { source, created_at: begun, last_used_at: used, expires_at: ends, current } = session;
  return (
    <tr>
      <td className="bh-mono">{source ?? "unknown"}</td>
      <td>
        <RelativeTime at={begun} />
      </td>
      <td>
        <RelativeTime at={used} />
      </td>
      <td>
        <RelativeTime at={ends} />
      </td>
      <td>
        {current ? (
          <StatusDot status="active" label="This one" />
        ) : (
          <Button size="compact-xs" variant="default" disabled={isBusy} onClick={end}>
            End it
          </Button>
        )}
      </td>
    </tr>
  );
}
