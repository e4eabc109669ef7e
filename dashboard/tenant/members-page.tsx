// Who belongs to the tenant, in which role, and who is invited.
import { Button, Select, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList, useMe } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { fieldError, otherError } from "../parts/error-note.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { FormDialog } from "./form-dialog.tsx";
import { onlyPage, type Schemas, useIsAdmin, useIsOwner } from "./tenant-reads.ts";

import "./tenant.css";

type Member = Schemas["Member"];
type Role = Member["role"];

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "member", label: "Member: sees the billing" },
  { value: "admin", label: "Admin: runs the billing" },
  { value: "owner", label: "Owner: also keys, the Stripe account and members" },
];

const roleOf = (text: string | null): Role | undefined => ROLES.find(({ value }) => value === text)?.value;

type Dialog = { kind: "invite" } | { kind: "role" | "remove"; member: Member };

export default function MembersPage(): ReactNode {
  const me = useMe();
  const isOwner = useIsOwner();
  const mayInvite = useIsAdmin();
  const [open, setOpen] = useState<Dialog>();
  const list = useList(["members"], async (api, _page, signal) =>
    onlyPage((await api.get("/api/v1/auth/tenants/members/", { signal })).data),
  );
  const close = (): void => setOpen(undefined);
  const columns: readonly Column<Member>[] = [
    { label: "Person", cell: ({ email, id }) => `${email ?? "By its link"}${id === me.id ? " (you)" : ""}` },
    { label: "Name", cell: ({ name }) => name ?? <span className="bh-dim">–</span>, width: 180 },
    { label: "Role", cell: ({ role }) => wordOf(role), width: 100 },
    { label: "State", cell: stateOf, width: 200 },
    { label: "Since", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
    ...(isOwner
      ? [{ label: "Change", cell: (member: Member) => <RowActions member={member} open={setOpen} />, width: 190 }]
      : []),
  ];
  return (
    <>
      <PageHeader
        title="Members"
        actions={mayInvite && <Button onClick={() => setOpen({ kind: "invite" })}>Invite somebody</Button>}
      >
        {isOwner ? "Who belongs to this tenant, and as what." : "Who belongs to this tenant. Its owners change roles."}
      </PageHeader>
      <DataTable
        label="Members"
        list={list}
        columns={columns}
        rowKey={({ id }) => id}
        minWidth={isOwner ? 960 : 780}
        empty={<Empty title="Nobody">Invite somebody by their e-mail address.</Empty>}
      />
      {open?.kind === "invite" && <Invite close={close} />}
      {open?.kind === "role" && <ChangeRole member={open.member} close={close} />}
      {open?.kind === "remove" && <Remove member={open.member} close={close} />}
    </>
  );
}

function stateOf({ status, expires_at: at }: Member): ReactNode {
  if (at === null) return <StatusDot status={status} />;
  return (
    <span className="bh-row bh-one-line">
      <StatusDot status={status} label="Invited, ends" /> <RelativeTime at={at} />
    </span>
  );
}

function RowActions({ member, open }: { member: Member; open: (dialog: Dialog) => void }): ReactNode {
  const named = <span className="bh-hidden">: {member.email ?? member.id}</span>;
  return (
    <span className="bh-row bh-one-line">
      {member.status === "active" && (
        <Button size="compact-xs" variant="default" onClick={() => open({ kind: "role", member })}>
          Role{named}
        </Button>
      )}
      <Button size="compact-xs" variant="default" onClick={() => open({ kind: "remove", member })}>
        {member.status === "active" ? "Remove" : "Take back"}
        {named}
      </Button>
    </span>
  );
}

function RoleField({
  value,
  change,
  roles,
}: {
  value: Role;
  change: (role: Role) => void;
  roles: typeof ROLES;
}): ReactNode {
  return (
    <Select
      label="Role"
      data={[...roles]}
      value={value}
      allowDeselect={false}
      onChange={(chosen) => {
        const role = roleOf(chosen);
        if (role !== undefined) change(role);
      }}
    />
  );
}

function Invite({ close }: { close: () => void }): ReactNode {
  const isOwner = useIsOwner();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("member");
  const invite = useAct((api) => api.post("/api/v1/auth/tenants/members/", { body: { email: email.trim(), role } }), {
    done: "The invitation is on its way.",
    then: close,
  });
  return (
    <FormDialog
      close={close}
      title="Invite somebody"
      action="Invite"
      run={() => invite.mutate(undefined)}
      isPending={invite.isPending}
      error={otherError(invite.error, ["email"])}
    >
      <TextInput
        label="E-mail address"
        type="email"
        required
        data-autofocus
        value={email}
        error={fieldError(invite.error, "email")}
        onChange={({ currentTarget }) => setEmail(currentTarget.value)}
      />
      {/* Nobody grants a role above their own. */}
      <RoleField
        value={role}
        change={setRole}
        roles={isOwner ? ROLES : ROLES.filter(({ value }) => value !== "owner")}
      />
    </FormDialog>
  );
}

interface MemberDialogProps {
  member: Member;
  close: () => void;
}

function ChangeRole({ member: { id, email, role: before }, close }: MemberDialogProps): ReactNode {
  const [role, setRole] = useState(before);
  const change = useAct(
    (api) => api.patch("/api/v1/auth/tenants/members/{id}/", { params: { path: { id } }, body: { role } }),
    { done: "The role is changed.", then: close },
  );
  return (
    <FormDialog
      close={close}
      title={`Role of ${email ?? id}`}
      action="Change"
      disabled={role === before}
      run={() => change.mutate(undefined)}
      isPending={change.isPending}
      error={change.error}
    >
      <RoleField value={role} change={setRole} roles={ROLES} />
    </FormDialog>
  );
}

function Remove({ member: { id, email, status }, close }: MemberDialogProps): ReactNode {
  const isIn = status === "active";
  const remove = useAct((api) => api.delete("/api/v1/auth/tenants/members/{id}/", { params: { path: { id } } }), {
    done: isIn ? "Removed." : "The invitation is taken back.",
    then: close,
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={isIn ? `Remove ${email ?? id}?` : `Take back the invitation of ${email ?? id}?`}
      action={isIn ? "Remove" : "Take back"}
      dangerous
      run={() => remove.mutate(undefined)}
      isPending={remove.isPending}
      error={remove.error}
    >
      {isIn ? "They see nothing of this tenant any more, from now on." : "The link in its mail stops working."}
    </ConfirmDialog>
  );
}
