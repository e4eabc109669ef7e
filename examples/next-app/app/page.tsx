// The first page.
export default function Home() {
  return (
    <>
      <h1>Example app</h1>
      <p>
        It sells <a href="/dashboard/credits">credits</a>, and keeps a <a href="/dashboard/card">card</a>.
      </p>
    </>
  );
}
