"use strict";
const $ = (id) => document.getElementById(id);
let token = "", me = "", role = "", session = "";
const seen = new Set();  // ids of messages that are shown
let asking = 0;          // messages without an answer yet
let missed = false;      // something came meanwhile that is not shown
let socket = null;       // while it is open; without it the page asks every two seconds
let heard = 0;           // when something last came over it, ms
let typist = "", typesUntil = 0;

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
  if (reply) seen.add(reply.message_id).add(reply.in_reply_to);
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
      button.textContent = label;
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
  session = sessionStorage.getItem("session of " + me) || "";
  $("sign-in").hidden = true;
  if (["support_agent", "support_manager", "admin"].includes(role)) {
    $("desk").hidden = false;
    return desk();
  }
  $("chat").hidden = false;
  $("text").focus();
  await look();
  connect(1000);
};

// What is written to this customer comes over a WebSocket, let in by a ticket that is good once.
// Where it does not open, or is lost, it is tried again, ever more seldom.
async function connect(wait) {
  const again = () => setTimeout(connect, wait * (0.5 + Math.random()), Math.min(2 * wait, 60000));
  let line;
  try {
    const pass = await call("POST", "/chat/ticket");
    line = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.hostname + ":" +
      pass.ws_port + "/live", ["payops.v1", "ticket." + pass.ticket]);
  } catch { return again(); }
  line.onopen = () => {
    socket = line;
    heard = Date.now();
    wait = 1000;
    $("chat").dataset.line = "open";
  };
  line.onmessage = (event) => {
    heard = Date.now();
    const message = JSON.parse(event.data);
    if (message.kind === "look") look();
    if (message.kind === "reply") written(message.reply);
    if (message.kind === "typing" && message.session_id === session) {
      typist = message.who;
      typesUntil = Date.now() + 5000;
      showTyping();
      setTimeout(showTyping, 5100);
    }
  };
  line.onclose = () => {
    if (socket === line) socket = null;
    delete $("chat").dataset.line;
    again();
  };
}
// A line that is dead without saying so: a heartbeat comes every ten seconds.
setInterval(() => { if (socket && Date.now() - heard > 25000) socket.close(); }, 5000);

function showTyping() {
  const soon = Date.now() < typesUntil;
  $("typing").textContent = soon && typist === "person" ? "A person is typing…" : "typing…";
  $("typing").hidden = !soon && asking === 0;
}

function written(reply) {
  if (session && reply.session_id !== session) return;
  session = reply.session_id;
  typesUntil = 0;
  showTyping();
  if (seen.has(reply.message_id)) return;
  if (reply.in_reply_to) return look();  // to what was said here, or elsewhere by the same customer
  seen.add(reply.message_id);
  show("person", reply.text);
}

$("say").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return;
  $("text").value = "";
  show("you", text);
  ++asking;
  showTyping();
  try {
    const reply = await call("POST", "/chat/message",
      { user_id: me, text, locale: navigator.language, session_id: session, channel: "web" },
      { "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) });
    session = reply.session_id;
    sessionStorage.setItem("session of " + me, session);
    if (!seen.has(reply.message_id)) show(reply.handled_by === "person" ? "person" : "agent", reply.text, reply);
  } catch (error) {
    show("agent", "That did not arrive: " + error.message);
  }
  --asking;
  showTyping();
  $("text").focus();
  if (missed) look();
};

// What was said before this page was there, and what a person writes meanwhile.
async function look() {
  missed = asking > 0;
  if (!token || !session || asking) return;
  const of = session, before = seen.size;
  try {
    const talk = await call("GET", "/session/" + encodeURIComponent(of));
    if (asking || of !== session || before !== seen.size) {  // an answer came in between
      missed = true;
      return;
    }
    for (const message of talk.messages) {
      if (seen.has(message.id)) continue;
      seen.add(message.id);
      const mine = message.sender === "USER";
      show(mine ? "you" : talk.with_person ? "person" : "agent", message.text);
    }
  } catch { /* closed and gone, or away: the next message begins anew */ }
}
setInterval(() => { if (!socket || missed) look(); }, 2000);

$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); $("say").requestSubmit(); }
};

async function desk() {
  try {
    const queue = await call("GET", "/desk/queue");
    const nobody = document.createElement("p");
    nobody.textContent = "Nobody waits.";
    $("queue").replaceChildren(...queue.waiting.length ? [] : [nobody], ...queue.waiting.map((chat) => {
      const box = document.createElement("article");
      box.className = "waiting";
      const head = document.createElement("h3");
      head.id = "waiting-" + chat.session_id;
      head.textContent = chat.user_id + (chat.with_person ? ", with a person" : ", waits");
      box.setAttribute("aria-labelledby", head.id);
      const said = chat.recent.map((e) => e.text).join("\n");
      const text = document.createElement("p");
      text.textContent = (chat.reason || "taken over") + (chat.ticket_id ? ", " + chat.ticket_id : "") + "\n" + said;
      const path = "/desk/" + encodeURIComponent(chat.session_id) + "/";
      const answer = document.createElement("textarea");
      answer.setAttribute("aria-label", "Reply to " + chat.user_id);
      answer.value = chat.suggestions.length ? chat.suggestions[0].text : "";
      let told = 0;  // the customer, that somebody writes
      answer.oninput = () => {
        if (Date.now() - told < 3000) return;
        told = Date.now();
        call("POST", path + "typing", {}).catch(() => {});
      };
      const button = (label, action) => {
        const b = document.createElement("button");
        b.type = "button";
        b.textContent = label;
        b.onclick = async () => {
          try { await action(); } catch (error) { $("who").textContent = label + ": " + error.message; }
          desk();
        };
        return b;
      };
      box.append(head, text, answer,
        button("Take over", () => call("POST", path + "take_over", {})),
        button("Reply", () => call("POST", path + "reply", { text: answer.value })),
        button("Hand back", () => call("POST", path + "hand_back", {})));
      return box;
    }));
    if (["support_manager", "admin"].includes(role)) {
      $("manager").hidden = false;
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
      const most = Object.entries(f.intents).sort((a, b) => b[1] - a[1]).slice(0, 8);
      line("Asked about most", most.map(([k, v]) => k + " " + v).join(", ") || "nothing yet");
      line("Handovers", Object.entries(f.handovers).map(([k, v]) => k + " " + v).join(", ") || "none");
      const within = (ms) => ms < 1000 ? ms + " ms" : ms < 60000 ? ms / 1000 + " s" : Math.round(ms / 60000) + " min";
      const waits = (w) => w.p50_ms === undefined ? "nothing yet" :
        "half within " + within(w.p50_ms) + ", 99 % within " + within(w.p99_ms);
      line("Answered", waits(f.response.agent));
      line("A person wrote after a handover", waits(f.response.person));
      line("Ratings", f.ratings.up + " up, " + f.ratings.down + " down");
      line("Estimated cost saved", "Rs " + Math.round(f.saved_minor / 100));
      line("Questions not answered", f.unanswered.slice(0, 10).map((u) => u.text).join(" · ") || "none");
    }
  } catch (error) { $("queue").textContent = error.message; }
}
setInterval(() => { if (token && !$("desk").hidden && document.activeElement.tagName !== "TEXTAREA") desk(); }, 4000);
