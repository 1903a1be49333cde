#include "top.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "narrate.h"
#include "payops/core/text.h"
#include "payops/model/dimensions.h"

namespace payops::app {
namespace {

// Names come from the payments: nothing in them may steer a terminal.
std::string plain(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F) text[i] = '?';
    if (c1) text.replace(i, 2, "?");
  }
  return text;
}

const Json& at(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto it = object.find(key);
  return it == object.end() ? nothing : *it;
}
std::string string_at(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_string() ? plain(value.get<std::string>()) : "";
}
double number_at(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_number() ? value.get<double>() : 0.0;
}
int64_t whole_at(const Json& object, const char* key) {
  return static_cast<int64_t>(number_at(object, key));
}
bool flag_at(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_boolean() && value.get<bool>();
}

Scope scope_of(const Json& object) {
  return {.issuer = string_at(object, "issuer"),
          .method = string_at(object, "method"),
          .gateway = string_at(object, "gateway")};
}

// The first so many characters, and not half of one.
std::string cut(const std::string& text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && ++seen > columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string sparkline(const Json& spark, std::size_t points) {
  static constexpr std::array<const char*, 8> kBars{"\u2581", "\u2582", "\u2583", "\u2584",
                                                    "\u2585", "\u2586", "\u2587", "\u2588"};
  if (!spark.is_array()) return "";
  std::string text;
  const std::size_t from = spark.size() > points ? spark.size() - points : 0;
  for (std::size_t i = from; i < spark.size(); ++i) {
    if (!spark[i].is_number()) {
      text += ' ';
      continue;
    }
    const double share = std::clamp(spark[i].get<double>(), 0.0, 1.0);
    text += kBars[static_cast<std::size_t>(std::lround(share * 7.0))];
  }
  return text;
}

class Writer {
 public:
  Writer(const Json& state, const TopScreen& screen, const Terminal& terminal)
      : state_(state), screen_(screen), terminal_(terminal), now_(at(at(state, "header"), "now")) {
    currency_ = string_at(now_, "currency");
  }

  std::string text() {
    head();
    incidents();
    interventions();
    series();
    return std::move(text_);
  }

 private:
  void line(const std::string& words, Style style = Style::plain) {
    if (screen_.rows > 0 && lines_ >= screen_.rows) return;
    ++lines_;
    text_ += terminal_.styled(style, cut(words, screen_.columns)) + "\n";
  }
  [[nodiscard]] std::string amount(double minor) const { return money(minor, currency_); }

  void head() {
    const std::string agent = string_at(now_, "agent_state");
    if (!screen_.unreachable.empty()) {
      line("NOT CONNECTED, what follows may be over: " + plain(screen_.unreachable), Style::bad);
    }
    const Json& lag = at(now_, "input_lag");
    line("payops " + string_at(now_, "build") + "  " + (agent.empty() ? "?" : agent) + "  " +
             iso_time(whole_at(now_, "watermark_ms")).substr(11, 8) + " UTC  cycle " +
             std::to_string(whole_at(now_, "step")) + "  " +
             fixed(number_at(now_, "attempts_per_s"), 1) + " attempts/s  success " +
             percent(number_at(now_, "success")) +
             (lag.is_number() ? "  lag " + std::to_string(lag.get<int64_t>()) : ""),
         agent == "acting" ? Style::bold : Style::bad);
    if (const std::string why = string_at(now_, "why"); !why.empty()) line("  " + why, Style::warn);
    line("at risk " + amount(number_at(now_, "at_risk_minor_per_min")) + " a minute  lost today " +
         amount(number_at(now_, "lost_today_minor")) + "  saved today " +
         amount(number_at(now_, "saved_today_minor")));
  }

  void incidents() {
    for (const auto& [id, i] : at(state_, "incidents").items()) {
      if (string_at(i, "status") == "resolved") continue;
      line("! " + string_at(i, "severity") + " " + string_at(i, "pattern") + ", " +
               describe(scope_of(at(i, "scope"))) + ", since " +
               iso_time(whole_at(i, "started_ms")).substr(11, 8) + ": " + string_at(i, "cause") +
               " " + percent(number_at(i, "posterior")) + ", " +
               amount(number_at(i, "at_risk_minor_per_min")) + " a minute",
           string_at(i, "severity") == "low" ? Style::warn : Style::bad);
    }
  }

  void interventions() {
    for (const auto& [id, i] : at(state_, "interventions").items()) {
      const std::string state = string_at(i, "state");
      const bool waits = state == "proposed";
      if (!waits && state != "active" && state != "approved") continue;
      const int64_t until_ms = whole_at(i, waits ? "answer_by_ms" : "expires_ms");
      line((waits ? "? " : "-> ") + string_at(i, "type") + ", " +
               describe(scope_of(at(i, "scope"))) + ", " +
               fixed(number_at(i, "strength") * 100.0, 0) + " % of customers, NRV " +
               amount(number_at(at(i, "nrv"), "mean")) + ", " + state +
               (waits ? ", answer by " : " until ") + iso_time(until_ms).substr(11, 8) +
               (waits ? ": payops approve " + plain(id) : ""),
           waits ? Style::warn : Style::plain);
    }
  }

  void series() {
    std::vector<const Json*> rows;
    for (const auto& [key, cell] : at(state_, "cells").items()) {
      const Scope scope = scope_of(cell);
      const int named = (scope.issuer != "*") + (scope.method != "*") + (scope.gateway != "*");
      if (named == 1) rows.push_back(&cell);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const Json* a, const Json* b) {
      if (flag_at(*a, "alarming") != flag_at(*b, "alarming")) return flag_at(*a, "alarming");
      if (flag_at(*a, "degraded") != flag_at(*b, "degraded")) return flag_at(*a, "degraded");
      return number_at(*a, "z") > number_at(*b, "z");
    });
    if (rows.empty()) return;
    line(pad("SERIES", 24) + pad("", 10) + pad_left("success", 9) + pad_left("usual", 9) +
             pad_left("z", 7) + pad_left("p95 ms", 8) + pad_left("retries", 9),
         Style::dim);
    for (const Json* cell : rows) row(*cell);
  }

  void row(const Json& cell) {
    const bool bad = flag_at(cell, "degraded") || flag_at(cell, "alarming");
    const bool learning = flag_at(cell, "warming_up");
    std::string words = pad(cut(describe(scope_of(cell)), 23), 24) +
                        pad(bad        ? "DEGRADED"
                            : learning ? "learning"
                                       : "healthy",
                            10) +
                        pad_left(percent(number_at(cell, "success")), 9) +
                        pad_left(percent(number_at(cell, "baseline")), 9) +
                        pad_left(fixed(number_at(cell, "z"), 1), 7) +
                        pad_left(fixed(number_at(cell, "latency_p95_ms"), 0), 8) +
                        pad_left(percent(number_at(cell, "retry_rate")), 9);
    if (screen_.unicode && screen_.columns > 80) {
      words += "  " + sparkline(at(cell, "spark"), std::min<std::size_t>(60, screen_.columns - 80));
    }
    line(words, bad ? Style::bad : learning ? Style::dim : Style::plain);
  }

  const Json& state_;
  const TopScreen& screen_;
  const Terminal& terminal_;
  const Json& now_;
  std::string currency_;
  std::string text_;
  std::size_t lines_ = 0;
};

}  // namespace

std::string top_text(const Json& state, const TopScreen& screen, const Terminal& terminal) {
  return Writer(state, screen, terminal).text();
}

}  // namespace payops::app
