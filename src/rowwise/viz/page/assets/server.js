// What only a server knows: any word, any formula, labels of texts.

class Server {
  constructor() {
    // The token stands in the address that the server prints; it does not stay there.
    const address = new URL(location.href);
    this.token = address.searchParams.get("token");
    if (this.token !== null) {
      address.searchParams.delete("token");
      history.replaceState(null, "", address);
    }
  }

  async ask(path, question) {
    const headers = { "Content-Type": "application/json" };
    if (this.token !== null) headers.Authorization = `Bearer ${this.token}`;
    const body = JSON.stringify(question);
    let response;
    try {
      response = await fetch(path, { method: "POST", headers, body });
    } catch {
      throw new Error("The server does not answer. Is it still running?");
    }
    const answer = await response.json().catch(() => ({
      detail: `The server's answer is not to be understood (status ${response.status}).`,
    }));
    if (!response.ok) throw new Error(answer.detail ?? answer.title ?? response.statusText);
    return answer;
  }

  // Whether the whole table has a row for a word, that of its pieces aside.
  async has(word) {
    const { rows } = await this.ask("embed", { words: [word], oov: "zero" });
    return rows[0].some((number) => number !== 0);
  }

  async neighbours(word) {
    return (await this.ask("neighbors", { words: [word], k: 10 })).results[0].neighbors;
  }

  async nearest(formula) {
    return (await this.ask("analogy", { formula, k: 10 })).neighbors;
  }

  async classify(text) {
    return (await this.ask("predict", { texts: [text], explain: true })).predictions[0];
  }
}
