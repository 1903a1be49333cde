// The report's page: one file, no script, readable on paper too.
#include <algorithm>
#include <cmath>

#include "backtest.h"
#include "chart.h"
#include "narrate.h"
#include "payops/core/text.h"
#include "terminal.h"

namespace payops::app {
namespace {

constexpr std::string_view kStyle = R"(<style>
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;max-width:58rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem} h2{margin-top:2.2rem} h3{margin:.2rem 0}
svg{width:100%;height:auto} figure{margin:1rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem}
.tile,article{border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.tile b{display:block;font-size:1.35rem} article{margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
td.n,th.n{text-align:right} td.n,th.n,td.t{white-space:nowrap}
.note{opacity:.75;font-size:.9rem}
@media print{article{break-inside:avoid}}
</style>)";

std::string tag(const std::string& name, const std::string& text) {
  return "<" + name + ">" + escape_html(text) + "</" + name + ">";
}

std::string tile(const std::string& value, const std::string& what) {
  return "<div class=\"tile\"><b>" + escape_html(value) + "</b>" + escape_html(what) + "</div>";
}

std::string utc(int64_t ts_ms) {
  const std::string iso = iso_time(ts_ms);
  return iso.substr(0, 10) + " " + iso.substr(11, 8);
}

std::string length_text(int64_t ms) {
  const int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  if (s < 172'800) return fixed(static_cast<double>(s) / 3600.0, 1) + " h";
  return fixed(static_cast<double>(s) / 86'400.0, 1) + " days";
}

std::string spelled(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

ChartSeries line_of(const std::vector<Trace::Point>& points, const std::string& name, int colour,
                    Mark mark, double Trace::Point::*value) {
  ChartSeries series{.name = name, .mark = mark, .colour = colour};
  for (const Trace::Point& p : points) {
    series.x.push_back(static_cast<double>(p.ts_ms));
    series.y.push_back(p.*value);
  }
  return series;
}

Chart success_chart(const std::string& title, const std::vector<Trace::Point>& points) {
  Chart chart{.title = title,
              .x_label = "UTC",
              .y_label = "success rate",
              .x_scale = Scale::time,
              .y_scale = Scale::share};
  chart.series.push_back(line_of(points, "usual", 6, Mark::dashed, &Trace::Point::usual));
  chart.series.push_back(line_of(points, "success", 0, Mark::line, &Trace::Point::value));
  return chart;
}

ChartSpan span_of(const FoundIncident& found, int64_t end_of_history_ms) {
  const Incident& i = found.incident;
  return {.from = static_cast<double>(i.begin_ts_ms),
          .to = static_cast<double>(i.end_ts_ms != 0 ? i.end_ts_ms : end_of_history_ms),
          .name = spelled(i.pattern) + ", " + describe(i.instrument, i.slice),
          .colour = 1};
}

std::string overview(const BacktestStory& story) {
  const auto all = story.traces.find("all payments");
  if (all == story.traces.end()) return "";
  Chart chart = success_chart("All payments; incidents shaded", all->second.points());
  for (const FoundIncident& found : story.result.incidents) {
    chart.spans.push_back(span_of(found, story.result.to_ms));
  }
  std::string text = "<figure>" + to_svg(chart) + "</figure>";
  std::string more;
  for (const auto& [name, trace] : story.traces) {
    if (name == "all payments") continue;
    Chart one = success_chart(name, trace.points());
    one.height = 200.0;
    more += "<figure>" + to_svg(one) + "</figure>";
  }
  if (!more.empty()) text += "<details><summary>Each series</summary>" + more + "</details>";
  return text;
}

std::string acts_table(const std::vector<WouldAct>& acts, const std::string& currency) {
  std::string text =
      "<table><thead><tr><th>when (UTC)</th><th>what</th><th class=\"n\">expected</th>"
      "<th class=\"n\">90 % interval</th><th>why</th></tr></thead><tbody>";
  for (const WouldAct& act : acts) {
    text += "<tr><td class=\"t\">" + escape_html(utc(act.ts_ms)) + "</td><td>" +
            escape_html(describe_action(act.type, act.scope, act.params, act.strength)) +
            (act.needs_approval ? " <em>(asks a person first)</em>" : "") +
            "</td><td class=\"n\">" + escape_html(money(act.expected_minor, currency)) +
            "</td><td class=\"n\">" + escape_html(money(act.low_minor, currency)) + " to " +
            escape_html(money(act.high_minor, currency)) + "</td><td>" + escape_html(act.why) +
            " <span class=\"note\">(" + escape_html(percent(act.confidence, 0)) + " " +
            escape_html(spelled(std::string(name_of(act.cause)))) + ", touches " +
            escape_html(percent(act.blast_radius)) + " of live value)</span></td></tr>";
  }
  return text + "</tbody></table>";
}

std::string incident_text(const FoundIncident& found, const BacktestResult& result) {
  const Incident& i = found.incident;
  std::string text =
      "<article>" + tag("h3", spelled(i.pattern) + ": " + describe(i.instrument, i.slice));
  const int64_t end_ms = i.end_ts_ms != 0 ? i.end_ts_ms : result.to_ms;
  text += "<p>Began " + utc(i.begin_ts_ms) + ", noticed " +
          length_text(std::max<int64_t>(0, found.noticed_ts_ms - i.begin_ts_ms)) + " later, " +
          (i.end_ts_ms != 0 ? "lasted " + length_text(end_ms - i.begin_ts_ms)
                            : "still going on at the end of the history") +
          ". Severity " + escape_html(name_of(i.severity)) + ", " + escape_html(name_of(i.spread)) +
          ". By its excess failures it cost about <b>" +
          escape_html(money(i.lost_minor, result.currency)) + "</b> in payments.</p>";
  if (found.trace.size() > 1) {
    Chart chart = success_chart(found.shown, found.trace);
    chart.height = 220.0;
    chart.spans.push_back(span_of(found, result.to_ms));
    for (const WouldAct& act : found.acts) {
      chart.spans.push_back(
          {.from = static_cast<double>(act.ts_ms),
           .to = static_cast<double>(act.ts_ms),
           .name = "would act: " + describe_action(act.type, act.scope, act.params, act.strength),
           .colour = 2});
    }
    text += "<figure>" + to_svg(chart) + "</figure>";
  }
  if (!found.hypotheses.empty()) {
    text += "<p>What explains it, when it was surest:</p><ul>";
    for (const Hypothesis& h : found.hypotheses) {
      text += "<li>" + escape_html(percent(h.posterior)) + " " +
              escape_html(spelled(std::string(name_of(h.cause))));
      if (h.cause != Cause::none_of_these) text += ", " + escape_html(describe(h.scope, h.slice));
      if (!h.evidence_for.empty()) text += ": " + escape_html(h.evidence_for.front());
      text += "</li>";
    }
    text += "</ul>";
  }
  text += found.acts.empty() ? "<p>Nothing on traffic was surely worth doing.</p>"
                             : acts_table(found.acts, result.currency);
  return text + "</article>";
}

std::string input_text(const BacktestResult& result) {
  const observation::IngestCounts& c = result.counts;
  std::string text = "<table><tbody>";
  const auto row = [&](const std::string& what, int64_t count) {
    if (count != 0) {
      text += "<tr><td>" + escape_html(what) + "</td><td class=\"n\">" + std::to_string(count) +
              "</td></tr>";
    }
  };
  row("attempts counted", c.attempts);
  row("late: older than the watermark, left out", c.late);
  row("duplicates, left out", c.duplicates);
  for (const auto& [reason, count] : c.dead_letters) row("unreadable: " + spelled(reason), count);
  for (const auto& [code, count] : c.unknown_codes) row("failures of unknown code " + code, count);
  text += "</tbody></table>";
  if (c.late * 50 > c.attempts) {
    text +=
        "<p><b>Many attempts came late.</b> A history that is not in the order of completion "
        "reads better with a larger <code>observation.lateness_ms</code>, or sorted.</p>";
  }
  return text;
}

}  // namespace

std::string backtest_page(const BacktestStory& story, const std::string& source) {
  const BacktestResult& r = story.result;
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>payops backtest</title>" +
      std::string(kStyle) + "</head><body>";
  page += "<h1>What payops would have seen and done</h1><p class=\"note\">" + escape_html(source) +
          ", " + utc(r.from_ms) + " to " + utc(r.to_ms) +
          " UTC. It watched only: nothing here "
          "was published.</p><div class=\"tiles\">";
  page +=
      tile(std::to_string(r.counts.attempts), "attempts in " + length_text(r.to_ms - r.from_ms));
  page +=
      tile(std::to_string(r.incidents_found), r.incidents_found == 1 ? "incident" : "incidents");
  page += tile(money(r.lost_minor, r.currency), "in payments that failed beyond the usual");
  page += tile(std::to_string(r.acts.size()), "interventions on traffic it would have taken");
  const double half = 1.6448536269514722 * r.expected_sigma;
  page += tile(money(r.expected_minor, r.currency),
               "margin it expected to save (90 %: " + money(r.expected_minor - half, r.currency) +
                   " to " + money(r.expected_minor + half, r.currency) + ")");
  page += "</div>" + overview(story) + "<h2>Incidents</h2>";
  if (r.incidents.empty()) page += "<p>None: nothing in this history was beyond chance.</p>";
  for (const FoundIncident& found : r.incidents) page += incident_text(found, r);
  if (r.incidents_found > r.incidents.size()) {
    page += "<p>and " + std::to_string(r.incidents_found - r.incidents.size()) + " more.</p>";
  }
  page += "<h2>What was read</h2>" + input_text(r);
  page +=
      "<h2>How to read this</h2><p>The agent went through the history as it would have live, "
      "seeing only the past, and weighed what it could have done. History cannot answer: the "
      "expected savings are its own predictions at that moment, each against doing nothing, with "
      "the fault's remaining length and the outcome's noise inside the interval. Because nothing "
      "was done, a long fault is answered again when an intervention would have expired, and each "
      "stays at the first step of its ramp; live it grows once it has proved itself. "
      "Configuration " +
      escape_html(story.config_hash.substr(0, 16)) + ".</p></body></html>\n";
  return page;
}

}  // namespace payops::app
