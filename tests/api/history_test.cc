#include "payops/api/history.h"

#include <doctest/doctest.h>

#include "payops/core/json_fields.h"
#include "payops/model/decision.h"

namespace payops::api {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

TEST_CASE("the history knows who has seen to an incident, and until when nobody is paged for it") {
  History history;
  uint64_t seq = 0;
  const auto take = [&](const char* kind, int64_t ts_ms, const Json& value) {
    const std::string whole = dump(value);
    AuditLine line;
    line.seq = ++seq;
    line.ts_ms = ts_ms;
    line.kind = kind;
    line.body = std::string_view(whole).substr(1, whole.size() - 2);
    history.take(line);
  };
  const auto say = [&](const char* verb, const char* text, const char* result) {
    const Verdict verdict{
        .proposal_id = "inc-1", .verdict = verb, .shown_hash = text, .by = "asha"};
    take("verdict", kNow, Json{{"result", result}, {"why", ""}, {"verdict", to_json(verdict)}});
  };
  Incident incident;
  incident.id = "inc-1";
  incident.begin_ts_ms = kNow;
  take("incident", kNow, Json{{"incident", to_json(incident)}});
  const auto told = [&] { return Json::parse(history.incidents({}))["incidents"][0]; };

  say("ack", "", "granted");
  say("silence", "30", "granted");
  CHECK(told()["acknowledged_by"] == "asha");
  CHECK(told()["silenced_until_ms"] == kNow + 30 * 60'000);
  say("silence", "60", "ignored");
  CHECK(told()["silenced_until_ms"] == kNow + 30 * 60'000);
  say("silence", "0", "granted");
  CHECK(told()["silenced_until_ms"] == 0);
}

}  // namespace
}  // namespace payops::api
