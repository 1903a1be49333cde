#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "observation/events.h"

namespace payops::observation {
namespace {

// The reason for which a message is a dead letter, with the field, or "attempt".
std::string verdict(const std::string& bytes, const ObservationConfig& config = {}) {
  Rig rig(config);
  rig.add(bytes);
  rig.finish();
  CHECK(rig.total.attempts + rig.total.dead_letters_total() == 1);
  if (rig.letters.empty()) return "attempt";
  const DeadLetter& letter = rig.letters.front();
  CHECK(rig.total.dead_letters.at(std::string(name_of(letter.reason))) == 1);
  return std::string(name_of(letter.reason)) +
         (letter.field_name.empty() ? "" : ":" + letter.field_name);
}
std::string verdict(const Event& event) { return verdict(event.json()); }

TEST_CASE("a native event is an attempt, in whatever order and spacing its keys come") {
  CHECK(verdict(Event{}) == "attempt");
  CHECK(verdict(Event{}.backwards()) == "attempt");
  std::string spaced;
  for (const char c : Event{}.json()) {
    spaced += c;
    if (c == ',' || c == ':') spaced += " \n\t";
  }
  CHECK(verdict("  " + spaced + "\r\n") == "attempt");
}

TEST_CASE("what is no JSON object is malformed, whole or cut anywhere") {
  for (const char* bytes : {"{",
                            "}",
                            "[]",
                            "\"a\"",
                            "7",
                            "null",
                            "{}{}",
                            "{\"a\":1,}",
                            "{\"a\" 1}",
                            "{a:1}",
                            "{\"a\":[1,2}",
                            "{\"a\":{\"b\":1]}",
                            "{\"a\":tru}",
                            "{\"a\":01}",
                            "{\"a\":1.}",
                            "{\"a\":+1}",
                            "{\"a\":\"\x01\"}",
                            "nonsense",
                            "{\"a\":\"\\q\"}",
                            "{\"a\":\"\\ud800\"}",
                            "{,}",
                            "[[[[[[["}) {
    CAPTURE(bytes);
    CHECK(verdict(std::string(bytes)) == "malformed_json");
  }
  CHECK(verdict(std::string("{}")) == "missing_field:attempt_id");
  const std::string whole = Event{}.json();
  for (std::size_t n = 1; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(verdict(whole.substr(0, n)) == "malformed_json");
  }
  CHECK(verdict(whole + "x") == "malformed_json");
  CHECK(verdict(whole + std::string(1, '\0')) == "malformed_json");
}

TEST_CASE("a value that nobody reads is checked like one that somebody does") {
  for (const char* value : {"{\"b\":\"c\":1}",
                            "{\"b\":\"c\":{\"d\":1}}",
                            "[1 2]",
                            "[1,]",
                            "[,1]",
                            "[1,2}",
                            "{\"b\":[1}]",
                            "{\"b\"}",
                            "{\"b\":}",
                            "{\"b\":1,}",
                            "{1:2}",
                            "[tru]",
                            "[01]",
                            "[\"\\q\"]",
                            "{\"\\q\":1}",
                            "{\"b\":\"\\udc00\"}",
                            "1 2",
                            "\"b\" \"c\"",
                            "\"b\":\"c\"",
                            "]",
                            ":",
                            ",",
                            "}",
                            "nul",
                            "-",
                            "1e"}) {
    CAPTURE(value);
    CHECK(verdict(Event{}.set("extra", value)) == "malformed_json");
    // More brackets behind do not make up for it.
    CHECK(verdict(Event{}.set("extra", value).json() + "}") == "malformed_json");
    CHECK(verdict(Event{}.set("extra", value).set("more", "{\"z\":1}}").json()) ==
          "malformed_json");
  }
  for (const char* value : {"{}", "[]", "[[],{}]", "{\"b\":[1,-0.5e+3,null,true,\"\\u00e9\\n\"]}",
                            "{\"\\u0062\":{\"c\":{}}}", "1e400"}) {
    CAPTURE(value);
    CHECK(verdict(Event{}.set("extra", value)) == "attempt");
  }
  CHECK(verdict(Event{}.set("extra", std::string(64, '[') + std::string(64, ']'))) == "attempt");
  CHECK(verdict(Event{}.set("extra", std::string(65, '[') + std::string(65, ']'))) ==
        "malformed_json");
}

TEST_CASE("every field is checked in type, range and presence") {
  const auto with = [](const char* key, const char* json) {
    return verdict(Event{}.set(key, json));
  };
  for (const char* key : {"attempt_id", "payment_id", "attempt_no", "ts_ms", "issuer", "method",
                          "gateway", "amount_minor", "currency", "status", "latency_ms"}) {
    CAPTURE(key);
    CHECK(verdict(Event{}.without(key)) == std::string("missing_field:") + key);
    CHECK(with(key, "null") == std::string("missing_field:") + key);
    CHECK(with(key, "{\"a\":1}") == std::string("wrong_type:") + key);
    CHECK(with(key, "[1]") == std::string("wrong_type:") + key);
    CHECK(with(key, "true") == std::string("wrong_type:") + key);
    CHECK(with(key, "NaN") == "malformed_json");
  }
  for (const char* key : {"decline_code", "action_ids", "arm", "propensity", "region", "user_id"}) {
    CAPTURE(key);
    CHECK(verdict(Event{}.without(key)) == "attempt");
    CHECK(with(key, "null") == "attempt");
  }
  CHECK(with("issuer", "42") == "wrong_type:issuer");
  CHECK(with("issuer", "\"\"") == "missing_field:issuer");
  CHECK(with("amount_minor", "\"100\"") == "wrong_type:amount_minor");
  CHECK(with("action_ids", "\"act\"") == "wrong_type:action_ids");
  CHECK(with("action_ids", "[1]") == "wrong_type:action_ids");
  CHECK(with("status", "\"ok\"") == "unknown_value:status");
  CHECK(with("arm", "\"control\"") == "unknown_value:arm");
}

TEST_CASE("numbers are exact and bounded") {
  const auto with = [](const char* key, const char* json) {
    return verdict(Event{}.set(key, json));
  };
  CHECK(with("amount_minor", "-1") == "negative_amount:amount_minor");
  CHECK(with("amount_minor", "-0") == "attempt");
  CHECK(with("amount_minor", "0") == "attempt");
  CHECK(with("amount_minor", "4.999e4") == "attempt");
  CHECK(with("amount_minor", "1000000000000") == "attempt");
  CHECK(with("amount_minor", "1000000000001") == "number_out_of_range:amount_minor");
  CHECK(with("amount_minor", "99.5") == "number_out_of_range:amount_minor");
  CHECK(with("amount_minor", "1e400") == "number_out_of_range:amount_minor");
  CHECK(with("amount_minor", "123456789012345678901234567890") ==
        "number_out_of_range:amount_minor");
  CHECK(with("attempt_no", "0") == "number_out_of_range:attempt_no");
  CHECK(with("attempt_no", "1000001") == "number_out_of_range:attempt_no");
  CHECK(with("latency_ms", "-1") == "number_out_of_range:latency_ms");
  CHECK(with("latency_ms", "86400001") == "number_out_of_range:latency_ms");
  CHECK(with("latency_ms", "120.7") == "attempt");
  CHECK(with("propensity", "0") == "number_out_of_range:propensity");
  CHECK(with("propensity", "1.1") == "number_out_of_range:propensity");
  CHECK(with("propensity", "0.05") == "attempt");
}

TEST_CASE("times before 2000 or beyond max_future_s are dead letters") {
  const int64_t now = kT0 + 60'000;
  CHECK(verdict(Event{}.at(0)) == "time_too_old:ts_ms");
  CHECK(verdict(Event{}.at(946'684'799'999)) == "time_too_old:ts_ms");
  CHECK(verdict(Event{}.at(946'684'800'000)) == "attempt");
  CHECK(verdict(Event{}.at(now + 300'000)) == "attempt");
  CHECK(verdict(Event{}.at(now + 300'001)) == "time_in_future:ts_ms");
  CHECK(verdict(Event{}.at(4'102'444'800'000)) == "time_in_future:ts_ms");
  CHECK(verdict(Event{}.set("ts_ms", "-5")) == "time_too_old:ts_ms");
}

TEST_CASE("payloads that are empty, too long or not UTF-8 are dead letters") {
  CHECK(verdict(std::string()) == "empty");
  CHECK(verdict(std::string(1'048'576, 'x')) == "too_large");
  CHECK(verdict(Event{}.text("pad", std::string(1'048'000, 'x'))) == "too_large");
  CHECK(verdict(Event{}.text("pad", std::string(60'000, 'x'))) == "attempt");
  CHECK(verdict(Event{}.text("region", "\xff\xfe")) == "invalid_utf8");
  CHECK(verdict(Event{}.text("region", "\xed\xa0\x80")) == "invalid_utf8");
}

TEST_CASE("names that a scope cannot hold, and texts too long to keep, are refused") {
  for (const char* name : {"*", "a|b", "tab\\there", "\\u0000"}) {
    CAPTURE(name);
    CHECK(verdict(Event{}.text("issuer", name)) == "unusable_text:issuer");
  }
  CHECK(verdict(Event{}.text("gateway", std::string(64, 'g'))) == "attempt");
  CHECK(verdict(Event{}.text("gateway", std::string(65, 'g'))) == "unusable_text:gateway");
  CHECK(verdict(Event{}.text("attempt_id", std::string(129, 'a'))) == "unusable_text:attempt_id");
  CHECK(verdict(Event{}.text("issuer", "Banco \\u00c9xito \\ud83c\\udfe6")) == "attempt");
}

TEST_CASE("only currencies of the config count, in the reporting currency") {
  CHECK(verdict(Event{}.text("currency", "XXX")) == "unknown_currency:currency");
  CHECK(verdict(Event{}.text("currency", "rupees")) == "unknown_currency:currency");
  ObservationConfig config;
  config.currencies = {
      {"INR", {}}, {"USD", {83'250'000, 2}}, {"JPY", {551'234, 0}}, {"KWD", {271'000'000, 3}}};
  REQUIRE(config.validate());
  Rig rig(config);
  rig.add(Event{}.id(1).text("currency", "USD").set("amount_minor", "1001"));
  rig.add(Event{}.id(2).text("currency", "JPY").set("amount_minor", "3"));
  rig.add(Event{}.id(3).text("currency", "KWD").set("amount_minor", "1"));
  rig.add(Event{}.id(4).text("currency", "USD").set("amount_minor", "2"));
  rig.finish();
  // 10.01 USD = 833.3325 INR, 3 JPY = 1.653702 INR, 0.001 KWD = 0.271 INR; 0.02 USD = 1.665 INR,
  // and halves round up.
  CHECK(rig.sum().amount_minor == 83'333 + 165 + 27 + 167);
}

TEST_CASE("a field given twice is malformed, an unmapped one may repeat") {
  std::string twice = Event{}.json();
  twice.insert(1, "\"issuer\":\"SBI\",");
  CHECK(verdict(twice) == "malformed_json");
  twice = Event{}.json();
  twice.insert(1, "\"user_id\":\"u-2\",");
  CHECK(verdict(twice) == "attempt");
}

TEST_CASE("a key written with escapes is the same key") {
  std::string escaped = Event{}.json();
  escaped.replace(escaped.find("issuer"), 6, "\\u0069ssuer");
  CHECK(verdict(escaped) == "attempt");
}

TEST_CASE("bad messages change nothing for the good ones around them") {
  CHECK(rc::check([] {
    Rig with, without;
    for (int i = 0; i < 60; ++i) {
      const std::string good = Event{}.id(i).at(kT0 + i * 250).json();
      if (*rc::gen::arbitrary<bool>()) {
        std::string bad = good;
        const auto at = *rc::gen::inRange<std::size_t>(0, bad.size());
        bad.erase(at, 1 + *rc::gen::inRange<std::size_t>(0, bad.size() - at));
        with.add(bad.substr(0, bad.size() - 1));
      }
      with.add(good);
      without.add(good);
    }
    with.finish();
    without.finish();
    RC_ASSERT(with.buckets == without.buckets);
    RC_ASSERT(with.total.attempts == 60);
  }));
}

TEST_CASE("any bytes at all are either an attempt or a dead letter") {
  CHECK(rc::check([] {
    Rig rig;
    int64_t added = 0;
    for (int i = 0; i < 20; ++i, ++added) {
      std::string bytes = Event{}.id(i).json();
      for (int k = *rc::gen::inRange(0, 4); k > 0; --k) {
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
            static_cast<char>(*rc::gen::inRange(0, 256));
      }
      rig.add(bytes);
    }
    rig.finish();
    RC_ASSERT(rig.total.attempts + rig.total.late + rig.total.duplicates +
                  rig.total.dead_letters_total() ==
              added);
  }));
}

TEST_CASE("dead letters beyond the bound are counted, not held") {
  ObservationConfig config;
  config.max_dead_letters = 3;
  Dictionary dictionary;
  Observer observer(config, declines(), FieldMapping{}, dictionary);
  for (int i = 0; i < 5; ++i) observer.add({2, 100 + i, "{"}, kT0);
  CHECK(observer.dead_letters_pending() == 3);
  const std::vector<DeadLetter> letters = observer.take_dead_letters();
  CHECK(letters.size() == 3);
  CHECK(letters[1].slot == 2);
  CHECK(letters[1].offset == 101);
  const IngestCounts counts = observer.take_counts();
  CHECK(counts.dead_letters.at("malformed_json") == 5);
  CHECK(counts.dead_letters_dropped == 2);
  CHECK(observer.take_counts() == IngestCounts{});
}

}  // namespace
}  // namespace payops::observation
