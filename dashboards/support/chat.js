"use strict";
const $ = (id) => document.getElementById(id);
let token = "", me = "", role = "", session = "";

async function call(method, path, body, headers = {}) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: "Bearer " + token, "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error(value.detail || value.error || answer.status);
  return value;
}

function show(who, text, reply) {
  const item = document.createElement("li");
  item.className = who === "you" ? "user" : "agent";
  const by = document.createElement("span");
  by.className = "by";
  by.textContent = who;
  item.append(by, document.createTextNode(text));
  if (reply) {
    const rate = document.createElement("span");
    rate.className = "by";
    for (const [value, label] of [["up", "Helpful"], ["down", "Not helpful"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = value === "up" ? "👍" : "👎";
      button.setAttribute("aria-label", label);
      button.onclick = async () => {
        await call("POST", "/chat/feedback", { message_id: reply.message_id, session_id: reply.session_id, rating: value });
        rate.textContent = "Thank you for telling us.";
      };
      rate.append(button);
    }
    item.append(rate);
  }
  $("messages").append(item);
  item.scrollIntoView({ block: "end" });
}

$("sign-in").onsubmit = async (event) => {
  event.preventDefault();
  $("problem").textContent = "";
  const form = new URLSearchParams(new FormData(event.target));
  form.set("grant_type", "password");
  const answer = await fetch("/oauth2/token", { method: "POST", body: form });
  const value = await answer.json();
  if (!answer.ok) { $("problem").textContent = value.error_description; return; }
  token = value.access_token;
  role = value.role;
  me = form.get("username");
  $("who").textContent = me + " (" + role + ")";
  $("sign-in").hidden = true;
  $("chat").hidden = false;
  $("text").focus();
  if (["support_agent", "support_manager", "admin"].includes(role)) { $("desk").hidden = false; desk(); }
};

$("say").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return;
  $("text").value = "";
  show("you", text);
  $("typing").hidden = false;
  try {
    const reply = await call("POST", "/chat/message",
      { user_id: me, text, locale: navigator.language, session_id: session, channel: "web" },
      { "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) });
    session = reply.session_id;
    show(reply.handled_by === "person" ? "person" : "agent", reply.text, reply);
  } catch (error) {
    show("agent", "That did not arrive: " + error.message);
  }
  $("typing").hidden = true;
  $("text").focus();
};

$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); $("say").requestSubmit(); }
};

async function desk() {
  try {
    const queue = await call("GET", "/desk/queue");
    $("queue").replaceChildren(...queue.waiting.map((chat) => {
      const box = document.createElement("div");
      box.className = "waiting";
      const said = chat.recent.map((e) => e.text).join("\n");
      const text = document.createElement("p");
      text.textContent = chat.user_id + ": " + chat.reason + (chat.ticket_id ? ", " + chat.ticket_id : "") + "\n" + said;
      const answer = document.createElement("textarea");
      answer.setAttribute("aria-label", "Reply to " + chat.user_id);
      answer.value = chat.suggestions.length ? chat.suggestions[0].text : "";
      const button = (label, action) => {
        const b = document.createElement("button");
        b.type = "button";
        b.textContent = label;
        b.onclick = async () => { await action(); desk(); };
        return b;
      };
      const path = "/desk/" + encodeURIComponent(chat.session_id) + "/";
      box.append(text, answer,
        button("Take over", () => call("POST", path + "take_over", {})),
        button("Reply", () => call("POST", path + "reply", { text: answer.value })),
        button("Hand back", () => call("POST", path + "hand_back", {})));
      return box;
    }));
    if (["support_manager", "admin"].includes(role)) {
      const f = await call("GET", "/desk/figures");
      $("figures").replaceChildren();
      const line = (name, value) => {
        const t = document.createElement("dt"), d = document.createElement("dd");
        t.textContent = name; d.textContent = value;
        $("figures").append(t, d);
      };
      line("Messages", f.messages);
      line("Sessions", f.sessions + ", " + f.open_sessions + " open");
      line("Resolved alone", Math.round(100 * f.resolved_alone_share) + " %");
      line("Handovers", Object.entries(f.handovers).map(([k, v]) => k + " " + v).join(", ") || "none");
      line("Ratings", f.ratings.up + " up, " + f.ratings.down + " down");
      line("Estimated cost saved", "Rs " + Math.round(f.saved_minor / 100));
      line("Questions not answered", f.unanswered.slice(0, 10).map((u) => u.text).join(" · ") || "none");
    }
  } catch (error) { $("queue").textContent = error.message; }
}
setInterval(() => { if (token && !$("desk").hidden && document.activeElement.tagName !== "TEXTAREA") desk(); }, 4000);
