// Lets the visitor into Billhook: this server knows who they are, and asks for a token for their account alone.
import { billhook, BillhookError } from "billhook/client";

const server = billhook({
  baseUrl: process.env.BILLHOOK_URL ?? "http://localhost:8000",
  token: process.env.BILLHOOK_SECRET_KEY,
});

export async function POST(request: Request): Promise<Response> {
  // In place of your own sign-in: whoever comes is a customer, and stays one.
  const known = /(?:^|;\s*)customer=([\w-]{36})(?:;|$)/.exec(request.headers.get("cookie") ?? "")?.[1];
  const customer = known ?? crypto.randomUUID();
  try {
    const path = { id: await accountOf(customer) };
    const session = await server.post("/api/v1/accounts/{id}/session/", { params: { path } });
    const cookie = `customer=${customer}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`;
    return Response.json(session, { status: 201, headers: { "set-cookie": cookie } });
  } catch (error) {
    if (!(error instanceof BillhookError)) throw error;
    console.error(`Billhook: ${error.code}: ${error.message}`);
    return Response.json({ error: "no session" }, { status: 502 });
  }
}

/** The account of this customer, made when they come first. */
async function accountOf(customer: string): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const { data } = await server.get("/api/v1/accounts/", { params: { query: { external_id: customer } } });
    return data[0]?.id;
  };
  const found = await find();
  if (found !== undefined) return found;
  try {
    const body = { external_id: customer, email: `${customer}@example.com` };
    return (await server.post("/api/v1/accounts/", { body })).id;
  } catch (error) {
    // Two requests of one visitor: the other one was first.
    const made = error instanceof BillhookError && error.code === "external_id_taken" ? await find() : undefined;
    if (made === undefined) throw error;
    return made;
  }
}
