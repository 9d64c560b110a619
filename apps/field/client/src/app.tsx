/** The frame around the screens. */

export function App() {
  return (
    <main>
      <h1>Hải Đăng</h1>
    </main>
  );
}
