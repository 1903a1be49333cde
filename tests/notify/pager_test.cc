#include "payops/notify/pager.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "incident.h"
#include "payops/core/json_fields.h"

namespace payops::notify {
namespace {

constexpr int64_t kSecond = 1000;
const std::string kDesk = "desk";

NotifyConfig config() {
  return {.group_wait_s = 5, .update_every_s = 300, .resolve_hold_s = 120, .max_per_hour = 20};
}
Pager pager(Severity least = Severity::low) { return {config(), {{kDesk, least}}, "INR"}; }

// The message that is due, delivered; an empty subject when there is none.
std::string told(Pager& pager, int64_t now_ms, const std::string& desk = kDesk) {
  const Message* message = pager.next(desk, now_ms);
  if (message == nullptr) return "";
  const std::string subject = message->subject;
  pager.settle(desk, {}, now_ms);
  return subject;
}

TEST_CASE("an incident is told once when it starts and once when it is over") {
  Pager p = pager();
  const Incident i = incident("1", "HDFC");
  int64_t now = kStart;
  p.take(i, now);
  CHECK(told(p, now).empty());  // others may belong to it
  CHECK(told(p, now += 5 * kSecond) == "[HIGH] issuer outage at issuer HDFC");
  CHECK(told(p, now += kSecond).empty());
  p.take(i, now);
  p.take(later(i, IncidentStatus::resolved), now);
  CHECK(told(p, now += 119 * kSecond).empty());
  CHECK(told(p, now += kSecond) == "[resolved] issuer outage at issuer HDFC");
  CHECK(told(p, now += 3600 * kSecond).empty());
  CHECK(p.state().things.empty());
  CHECK(p.state().desks.at(kDesk).told.empty());
}

TEST_CASE("what lies within one another is one thing, and one page") {
  Pager p = pager();
  int64_t now = kStart;
  p.take(incident("1", "HDFC", Severity::medium), now);
  Incident part = incident("2", "HDFC", Severity::low);
  part.instrument.method = "card";
  p.take(part, now + 2 * kSecond);
  CHECK(told(p, now += 5 * kSecond) == "[MEDIUM] issuer outage at issuer HDFC");
  Incident path = part;
  path.id = "inc-3";
  path.instrument.gateway = "PAYU";
  p.take(path, now);
  CHECK(told(p, now += 10 * kSecond).empty());
  p.take(incident("4", "ICICI"), now);  // another thing
  CHECK(told(p, now += 5 * kSecond) == "[HIGH] issuer outage at issuer ICICI");
  CHECK(p.state().things.size() == 2);
}

TEST_CASE("it getting worse is told at once, other changes now and then") {
  Pager p = pager();
  int64_t now = kStart;
  Incident i = incident("1", "HDFC", Severity::medium);
  p.take(i, now);
  CHECK_FALSE(told(p, now += 5 * kSecond).empty());
  i = later(i, IncidentStatus::updated);
  i.action_ids = {"act-1"};
  p.take(i, now);
  CHECK(told(p, now += 299 * kSecond).empty());
  CHECK(told(p, now += kSecond) == "[MEDIUM] update: issuer outage at issuer HDFC");
  CHECK(told(p, now += 3600 * kSecond).empty());
  i = later(i, IncidentStatus::updated);
  i.severity = Severity::high;
  p.take(i, now);
  CHECK(told(p, now) == "[HIGH] update: issuer outage at issuer HDFC");
}

TEST_CASE("what flaps is neither over nor begins anew") {
  Pager p = pager();
  int64_t now = kStart;
  p.take(incident("1", "HDFC"), now);
  CHECK_FALSE(told(p, now += 5 * kSecond).empty());
  for (int i = 2; i < 20; ++i) {
    p.take(later(incident(std::to_string(i - 1), "HDFC"), IncidentStatus::resolved), now);
    CHECK(told(p, now += 60 * kSecond).empty());
    p.take(incident(std::to_string(i), "HDFC"), now);
    CHECK(told(p, now + 250).empty());
  }
}

TEST_CASE("a desk hears of nothing below its severity") {
  Pager p = pager(Severity::high);
  int64_t now = kStart;
  Incident i = incident("1", "HDFC", Severity::medium);
  p.take(i, now);
  CHECK(told(p, now += 60 * kSecond).empty());
  CHECK(p.idle(now));
  i = later(i, IncidentStatus::updated);
  i.severity = Severity::high;
  p.take(i, now);
  CHECK(told(p, now) == "[HIGH] issuer outage at issuer HDFC");
  p.take(incident("2", "ICICI", Severity::info), now);
  CHECK(p.state().things.size() == 1);
}

TEST_CASE("above the limit what happens is told together, and none of it is lost") {
  Pager p = pager();
  int64_t now = kStart;
  int messages = 0;
  std::string last;
  for (int i = 0; i < 30; ++i) {
    p.take(incident(std::to_string(i), "BANK" + std::to_string(i)), now);
    const std::string subject = told(p, now += 5 * kSecond);
    messages += subject.empty() ? 0 : 1;
  }
  CHECK(messages == 10);
  for (int minute = 0; minute < 8 && last.empty(); ++minute) last = told(p, now += 60 * kSecond);
  CHECK(last == "[HIGH] 20 incidents: 20 started");
}

TEST_CASE("a message that was not taken is given again, the same to the byte, ever more slowly") {
  Pager p = pager();
  int64_t now = kStart;
  p.take(incident("1", "HDFC"), now);
  now += 5 * kSecond;
  const Message first = *p.next(kDesk, now);
  int64_t waited = 0;
  for (int i = 0; i < 12; ++i) {
    p.settle(kDesk, {.result = DeliveryResult::retry, .why = "away"}, now);
    CHECK_FALSE(p.idle(now));
    CHECK(p.next(kDesk, now) == nullptr);
    const int64_t wait_ms = p.state().desks.at(kDesk).next_try_ms - now;
    CHECK(wait_ms >= 750);
    CHECK(wait_ms <= 375'000);
    if (i > 0 && i < 8) CHECK(wait_ms > waited);
    waited = wait_ms;
    now += wait_ms;
    const Message* again = p.next(kDesk, now);
    REQUIRE(again != nullptr);
    CHECK(*again == first);
  }
  p.settle(kDesk, {.result = DeliveryResult::retry, .why = "busy", .retry_after_ms = 900'000}, now);
  CHECK(p.next(kDesk, now + 899'999) == nullptr);
  CHECK(p.next(kDesk, now + 900'000) != nullptr);
  p.settle(kDesk, {.result = DeliveryResult::retry}, now + 86'400'000);
  CHECK(p.state().desks.at(kDesk).dropped == 1);
}

TEST_CASE("one desk's trouble is not another's, and what it missed it is told at the end") {
  Pager p(config(), {{"a", Severity::low}, {"b", Severity::low}}, "INR");
  int64_t now = kStart;
  p.take(incident("1", "HDFC"), now);
  now += 5 * kSecond;
  CHECK_FALSE(told(p, now, "a").empty());
  REQUIRE(p.next("b", now) != nullptr);
  p.take(later(incident("1", "HDFC"), IncidentStatus::resolved), now);
  p.settle("b", {.result = DeliveryResult::retry}, now);
  now += 200 * kSecond;
  CHECK(told(p, now, "a").find("[resolved]") == 0);
  CHECK(told(p, now, "b").find("[HIGH]") == 0);
  CHECK(told(p, now, "b").find("[resolved]") == 0);
  CHECK(p.state().things.empty());
}

TEST_CASE("what it knows survives being written down: a repeat is no second page") {
  Pager p = pager();
  int64_t now = kStart;
  p.take(incident("1", "HDFC"), now);
  CHECK_FALSE(told(p, now += 5 * kSecond).empty());
  const auto state = from_json<PagerState>(Json::parse(dump(to_json(p.state()))));
  REQUIRE(state);
  Pager again(config(), {{kDesk, Severity::low}}, "INR", *state);
  again.take(incident("1", "HDFC"), now += kSecond);
  CHECK(told(again, now += 3600 * kSecond).empty());
  CHECK(again.idle(now));
}

TEST_CASE("what a person has silenced is not told, nor that it was") {
  Pager p = pager();
  int64_t now = kStart;
  Incident i = incident("1", "HDFC", Severity::medium);
  p.take(i, now);
  CHECK_FALSE(told(p, now += 5 * kSecond).empty());
  i = later(i, IncidentStatus::updated);
  i.severity = Severity::high;
  p.take(i, now, 600 * kSecond);
  CHECK(told(p, now += 599 * kSecond).empty());
  CHECK(p.idle(now));
  CHECK(told(p, now += kSecond) == "[HIGH] update: issuer outage at issuer HDFC");
  p.take(later(i, IncidentStatus::resolved), now, 600 * kSecond);
  CHECK(told(p, now += 120 * kSecond).find("[resolved]") == 0);

  const Incident other = incident("2", "ICICI");
  p.take(other, now, 3600 * kSecond);
  CHECK(told(p, now += 60 * kSecond).empty());
  p.take(later(other, IncidentStatus::resolved), now, 3540 * kSecond);
  CHECK(told(p, now += 120 * kSecond).empty());
  CHECK(p.idle(now));
}

TEST_CASE("what was never said to be over does not swallow what comes later") {
  Pager p = pager();
  int64_t now = kStart;
  p.take(incident("1", "HDFC"), now);
  CHECK_FALSE(told(p, now += 5 * kSecond).empty());
  CHECK(told(p, now += kUnheardMs + kSecond).empty());
  p.take(incident("2", "HDFC"), now);
  CHECK(told(p, now += 5 * kSecond).find("[HIGH]") == 0);
}

// A bank that is in trouble or not, as its incidents tell it.
struct Bank {
  int number = 0;
  Incident present;
  bool lasts = false;
};

TEST_CASE("whatever happens, nobody is told twice of one thing or more often than allowed") {
  rc::check([] {
    NotifyConfig c = config();
    c.max_per_hour = *rc::gen::inRange<int64_t>(2, 12);
    Pager p(c, {{kDesk, Severity::low}}, "INR");
    std::vector<Bank> banks(4);
    std::map<std::string, int> started;  // by thing, minus resolved
    std::vector<int64_t> sent_ms;
    std::set<std::string> ids;
    int64_t now = kStart;
    const auto hear = [&](bool may_fail) {
      const Message* m = p.next(kDesk, now);
      if (m == nullptr) return;
      if (may_fail && *rc::gen::inRange(0, 3) == 0) {
        p.settle(kDesk, {.result = DeliveryResult::retry}, now);
        return;
      }
      RC_ASSERT(ids.insert(m->id).second);
      const Json notices = Json::parse(m->data)["data"]["notices"];
      for (const Json& notice : notices) {
        int& open = started[notice["id"].get<std::string>()];
        const std::string status = notice["status"].get<std::string>();
        const bool fits = status == "started" ? open == 0 : status != "updated" || open == 1;
        RC_ASSERT(fits);
        open = status == "resolved" ? 0 : 1;
      }
      sent_ms.push_back(m->created_ms);
      p.settle(kDesk, {}, now);
    };
    for (int step = 0; step < 200; ++step) {
      Bank& bank = banks[*rc::gen::inRange<std::size_t>(0, banks.size())];
      if (!bank.lasts) {
        bank.present =
            incident(std::to_string(&bank - banks.data()) + "-" + std::to_string(++bank.number),
                     "BANK" + std::to_string(&bank - banks.data()),
                     *rc::gen::element(Severity::low, Severity::medium, Severity::high));
        bank.lasts = true;
      } else {
        bank.lasts = *rc::gen::inRange(0, 2) == 0;
        bank.present =
            later(bank.present, bank.lasts ? IncidentStatus::updated : IncidentStatus::resolved);
      }
      p.take(bank.present, now);
      if (*rc::gen::inRange(0, 4) == 0) p.take(bank.present, now);
      now += *rc::gen::inRange<int64_t>(0, 90'000);
      hear(true);
      if (*rc::gen::inRange(0, 10) == 0) {
        p = Pager(c, {{kDesk, Severity::low}}, "INR",
                  *from_json<PagerState>(Json::parse(dump(to_json(p.state())))));
      }
    }
    for (std::size_t i = 0; i < sent_ms.size(); ++i) {
      const auto within = std::count_if(sent_ms.begin(), sent_ms.end(), [&](int64_t at) {
        return at >= sent_ms[i] && at < sent_ms[i] + 3'600'000;
      });
      RC_ASSERT(within <= c.max_per_hour);
    }
    for (Bank& bank : banks) {
      if (bank.lasts) p.take(later(bank.present, IncidentStatus::resolved), now);
    }
    for (int i = 0; i < 100; ++i) {
      now += 300'000;
      hear(false);
    }
    for (const auto& [thing, open] : started) RC_ASSERT(open == 0);
    RC_ASSERT(p.state().things.empty());
    RC_ASSERT(p.idle(now));
  });
}

}  // namespace
}  // namespace payops::notify
