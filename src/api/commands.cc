#include "commands.h"

#include <algorithm>
#include <utility>

#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/safety/verdict.h"

namespace payops::api {
namespace {

constexpr int kUnderWayMax = 4;
constexpr std::size_t kReasonMax = 500;
constexpr std::size_t kTextMax = 200;

// What a person typed, fit for a line of the audit log.
std::string one_line(const std::string& text, std::size_t bytes_max) {
  std::string line = text.substr(0, bytes_max);
  // Cut between characters, not within one.
  while (line.size() == bytes_max && bytes_max < text.size() &&
         (static_cast<unsigned char>(text[line.size()]) & 0xC0U) == 0x80U) {
    line.pop_back();
    bytes_max = line.size();
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

// As it can be signed: the bar separates what is signed.
std::string without_bars(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  return text;
}

const Intervention* find(const Knowledge& known, const std::string& action_id) {
  if (known.cycle == nullptr) return nullptr;
  for (const InterventionView& view : known.cycle->interventions) {
    if (view.intervention.action.action_id == action_id) return &view.intervention;
  }
  return nullptr;
}

std::string text_of(const Json& body, const char* key) {
  const auto it = body.find(key);
  return it != body.end() && it->is_string() ? it->get<std::string>() : "";
}

// Why nothing may be decided on what is known, or "".
std::string why_over(const Knowledge& known) {
  const int64_t now_ms = SystemClock().now_ms();
  if (stale(known, now_ms)) {
    return "nothing new has been heard of the agent; what is shown may be over";
  }
  if (old_data(known, now_ms)) return "no new payments reach the agent; what is shown may be over";
  return "";
}

}  // namespace

Reply failure(int status, const std::string& error, const std::string& detail) {
  return {status, dump(Json{{"error", error}, {"detail", detail}}), detail};
}

bool stale(const Knowledge& known, int64_t now_ms) {
  return now_ms - known.pulse.wall_ms > kStaleAfterMs || known.pulse.agent_state == "standby";
}

bool old_data(const Knowledge& known, int64_t now_ms) {
  const Pulse& pulse = known.pulse;
  const bool unmoved = now_ms - pulse.moved_wall_ms > kStaleAfterMs;
  const bool behind = !known.deployment->demo && now_ms - pulse.watermark_ms > kStaleAfterMs;
  return unmoved || behind;
}

Commands::Commands(Feed& feed, VerdictSink& sink, std::string signing_key_hex,
                   int64_t answer_wait_ms)
    : feed_(feed),
      sink_(sink),
      signing_key_hex_(std::move(signing_key_hex)),
      answer_wait_ms_(answer_wait_ms) {}

void Commands::refused(const std::string& by, const std::string& about, const std::string& what,
                       const std::string& why) {
  tell(by, about, what, "the console: ", why, NoteKind::refusal);
}

void Commands::noted(const std::string& by, const std::string& about, const std::string& what,
                     const std::string& why, NoteKind kind) {
  tell(by, about, what, payments_agent::kNotedByConsole, why, kind);
}

void Commands::tell(const std::string& by, const std::string& about, const std::string& what,
                    std::string_view as, const std::string& why, NoteKind kind) {
  payops::payments_agent::VerdictInput note;
  note.received_ts_ms = SystemClock().now_ms();
  note.verdict = {.proposal_id = one_line(about, kTextMax),
                  .verdict = "console: " + one_line(what, kTextMax),
                  .shown_hash = "",
                  .by = one_line(by, kTextMax),
                  .ts_ms = note.received_ts_ms};
  note.problem = std::string(as) + one_line(why, kReasonMax);
  feed_.note(std::move(note), kind);
}

void Commands::tell_reason(const Verdict& verdict, const std::string& reason) {
  if (!reason.empty()) {
    noted(verdict.by, verdict.proposal_id, verdict.verdict, "the reason given is: " + reason,
          NoteKind::reason);
  }
}

Reply Commands::answer(const Identity& who, const std::string& action_id,
                       const std::string& verdict, const std::string& body) {
  const Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object() || text_of(parsed, "shown_hash").empty()) {
    return failure(400, "bad_request", "the body must be {\"shown_hash\": …}");
  }
  const auto known = feed_.newest();
  if (const std::string why = why_over(*known); !why.empty()) {
    return failure(503, "stale", why);
  }
  const Intervention* proposal = find(*known, action_id);
  if (proposal == nullptr) return failure(404, "not_found", "there is no such proposal");
  if (proposal->state != InterventionState::proposed) {
    return failure(409, "conflict", "it is " + std::string(name_of(proposal->state)) + " already");
  }
  if (text_of(parsed, "shown_hash") != proposal->shown_hash) {
    return failure(409, "conflict", "it is not what was shown");
  }
  return give({.proposal_id = action_id,
               .verdict = verdict,
               .shown_hash = proposal->shown_hash,
               .by = who.user},
              text_of(parsed, "reason"));
}

Reply Commands::care(const Identity& who, const std::string& incident_id, const std::string& verb,
                     const std::string& body) {
  const Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object()) return failure(400, "bad_request", "the body must be an object");
  std::string text;
  if (verb == "note") {
    text = without_bars(one_line(text_of(parsed, "text"), kReasonMax));
    if (text.empty()) return failure(400, "bad_request", "the body must be {\"text\": …}");
  } else if (verb == "silence") {
    const auto minutes = parsed.find("minutes");
    if (minutes == parsed.end() || !minutes->is_number_integer()) {
      return failure(400, "bad_request", "the body must be {\"minutes\": 0 to 1440}");
    }
    text = std::to_string(minutes->get<int64_t>());
  } else if (verb == "cause") {
    const auto cause = parse_enum<Cause>(text_of(parsed, "cause"));
    if (!cause || *cause == Cause::none_of_these || *cause == Cause::maintenance) {
      return failure(400, "bad_request",
                     "the body must be {\"cause\": …}, a cause that can be behind an incident");
    }
    text = name_of(*cause);
  }
  if (const std::string why = why_over(*feed_.newest()); !why.empty()) {
    return failure(503, "stale", why);
  }
  return give({.proposal_id = incident_id, .verdict = verb, .shown_hash = text, .by = who.user},
              "");
}

Reply Commands::set_mode(const Identity& who, const std::string& body) {
  const Json parsed = Json::parse(body, nullptr, false);
  const std::string type = parsed.is_object() ? text_of(parsed, "type") : "";
  const auto mode = parse_enum<Mode>(parsed.is_object() ? text_of(parsed, "mode") : "");
  if (type.empty() || !mode) {
    return failure(400, "bad_request",
                   "the body must be {\"type\": …, \"mode\": observe, shadow, approve or auto}");
  }
  if (const std::string why = why_over(*feed_.newest()); !why.empty()) {
    return failure(503, "stale", why);
  }
  return give(
      {.proposal_id = "mode",
       .verdict = "set",
       .shown_hash = without_bars(one_line(type, kTextMax)) + "=" + std::string(name_of(*mode)),
       .by = who.user},
      text_of(parsed, "reason"));
}

Reply Commands::propose(const Identity& who, const std::string& body) {
  const Json parsed = Json::parse(body, nullptr, false);
  const auto scope = parsed.is_object() ? from_json<Scope>(parsed.value("scope", Json())) : Scope{};
  const std::string type = parsed.is_object() ? text_of(parsed, "type") : "";
  if (type.empty() || !scope || *scope == Scope{}) {
    return failure(400, "bad_request",
                   "the body must be {\"type\": …, \"scope\": {\"issuer\", \"method\", "
                   "\"gateway\"}, not all of them *}");
  }
  if (const std::string why = why_over(*feed_.newest()); !why.empty()) {
    return failure(503, "stale", why);
  }
  std::string wish = to_string(*scope);
  if (const std::string to = text_of(parsed, "to_gateway"); !to.empty()) wish += " " + to;
  return give({.proposal_id = "manual",
               .verdict = without_bars(one_line(type, kTextMax)),
               .shown_hash = without_bars(one_line(wish, kReasonMax)),
               .by = who.user},
              text_of(parsed, "reason"));
}

Reply Commands::kill(const Identity& who, const std::string& body) {
  const Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("on") || !parsed["on"].is_boolean()) {
    return failure(400, "bad_request", "the body must be {\"on\": true or false}");
  }
  const bool on = parsed["on"].get<bool>();
  const std::string verdict = on ? "on" : "off";
  if (!may(who.role, on ? Right::operate : Right::administer)) {
    return failure(403, "forbidden",
                   "the kill switch is thrown by operators and lifted by admins only");
  }
  // Stopping is always worth trying; going on needs an agent that is known to be well.
  if (const std::string why = why_over(*feed_.newest()); !on && !why.empty()) {
    return failure(503, "stale", why);
  }
  return give({.proposal_id = "kill", .verdict = verdict, .shown_hash = "", .by = who.user},
              text_of(parsed, "reason"));
}

Reply Commands::give(Verdict verdict, const std::string& reason) {
  struct Place {
    std::atomic<int>& count;
    int taken;
    explicit Place(std::atomic<int>& c) : count(c), taken(++c) {}
    ~Place() { --count; }
  } const place(under_way_);
  const bool stopping = verdict.proposal_id == "kill" && verdict.verdict == "on";
  if (place.taken > kUnderWayMax && !stopping) {
    return failure(429, "busy", "too many commands are under way; try again in a moment");
  }
  uint64_t since = 0;
  {
    const std::lock_guard lock(sending_);
    verdict.ts_ms = last_ts_ms_ = std::max(SystemClock().now_ms(), last_ts_ms_ + 1);
    if (Status signed_now = safety::sign_verdict(verdict, signing_key_hex_); !signed_now) {
      return failure(500, "internal", signed_now.error().message);
    }
    since = feed_.answers_seen();
    if (Status sent = sink_.send(verdict); !sent) {
      return failure(503, "unavailable", sent.error().message);
    }
  }
  tell_reason(verdict, reason);
  const auto result = feed_.await_answer(verdict, since, answer_wait_ms_);
  if (!result) {
    return {202,
            dump(Json{{"result", "sent"},
                      {"why", "the agent has not answered yet; its audit log will say"}}),
            ""};
  }
  const bool counts = result->result == "granted" || result->result == "rejected";
  return {counts ? 200 : 409, dump(Json{{"result", result->result}, {"why", result->why}}), ""};
}

}  // namespace payops::api
