#include "chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "payops/core/text.h"

namespace payops::app {
namespace {

constexpr std::array<std::string_view, 8> kPalette{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                   "#e69f00", "#56b4e9", "#999999", "#b59f00"};
constexpr double kLeft = 62.0, kRight = 14.0, kTop = 44.0, kBottom = 42.0;
constexpr int kTicks = 5;
constexpr double kCharacter = 6.2;  // mean width at 11 px

std::string_view colour_of(int index) {
  return kPalette[static_cast<std::size_t>(index) % kPalette.size()];
}

std::string number(double value) { return fixed(value, 1); }

struct Axis {
  Scale scale = Scale::number;
  double low = 0.0, high = 1.0;  // in transformed values
  double from = 0.0, to = 1.0;   // in pixels

  [[nodiscard]] bool takes(double value) const {
    return std::isfinite(value) && (scale != Scale::log10 || value > 0.0);
  }
  [[nodiscard]] double transformed(double value) const {
    return scale == Scale::log10 ? std::log10(value) : value;
  }
  [[nodiscard]] double at(double value) const {
    return from + (transformed(value) - low) / (high - low) * (to - from);
  }
};

// 1, 2 or 5 times a power of ten that makes about kTicks steps of the range; for times a round
// number of seconds, minutes, hours or days.
double tick_step(const Axis& axis) {
  const double rough = (axis.high - axis.low) / kTicks;
  if (axis.scale == Scale::log10) return std::max(1.0, std::ceil(rough));
  if (axis.scale == Scale::time) {
    for (const double s : {1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
                           7200.0, 21600.0, 43200.0, 86400.0, 172800.0, 604800.0}) {
      if (s * 1000.0 >= rough) return s * 1000.0;
    }
    return std::ceil(rough / 604'800'000.0) * 604'800'000.0;
  }
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double m : {1.0, 2.0, 5.0}) {
    if (m * power >= rough) return m * power;
  }
  return 10.0 * power;
}

std::string tick_text(const Axis& axis, double value, double step) {
  switch (axis.scale) {
    case Scale::share: {
      const int decimals = step < 0.001 ? 2 : step < 0.01 ? 1 : 0;
      return fixed(value * 100.0, decimals) + " %";
    }
    case Scale::time: {
      const std::string iso = iso_time(std::llround(value));
      if (step >= 86'400'000.0) return iso.substr(5, 5);
      return step >= 60'000.0 ? iso.substr(11, 5) : iso.substr(11, 8);
    }
    case Scale::log10:
      return value >= 0.0 && value < 5.0   ? fixed(std::pow(10.0, value), 0)
             : value < 0.0 && value > -4.0 ? fixed(std::pow(10.0, value), static_cast<int>(-value))
                                           : "1e" + fixed(value, 0);
    case Scale::number:
      break;
  }
  const double size = std::max(std::abs(axis.low), std::abs(axis.high));
  if (size >= 1e9) return fixed(value / 1e9, step < 1e9 ? 1 : 0) + " G";
  if (size >= 1e6) return fixed(value / 1e6, step < 1e6 ? 1 : 0) + " M";
  if (size >= 1e4) return fixed(value / 1e3, step < 1e3 ? 1 : 0) + " k";
  return fixed(value, step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1.0 ? 1 : 0);
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    x_ = {.scale = chart.x_scale, .from = kLeft, .to = chart.width - kRight};
    y_ = {.scale = chart.y_scale, .from = chart.height - kBottom, .to = kTop};
    fit();
  }

  std::string svg() {
    const std::string size = number(chart_.width) + " " + number(chart_.height);
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size +
           "\" role=\"img\" aria-label=\"" + escape_html(chart_.title) +
           "\" font-family=\"system-ui,sans-serif\" font-size=\"11\" fill=\"currentColor\">";
    svg_ += "<title>" + escape_html(chart_.title) + "</title>";
    text(kLeft, 14.0, chart_.title, "start", "font-weight=\"600\" font-size=\"13\"");
    spans();
    grid();
    for (const ChartSeries& series : chart_.series) draw(series);
    legend();
    return svg_ + "</svg>\n";
  }

 private:
  void fit() {
    const auto grow = [](Axis& axis, double& low, double& high, double value) {
      if (!axis.takes(value)) return;
      low = std::min(low, axis.transformed(value));
      high = std::max(high, axis.transformed(value));
    };
    constexpr double kInf = std::numeric_limits<double>::infinity();
    double x0 = kInf, x1 = -kInf, y0 = kInf, y1 = -kInf;
    for (const ChartSeries& s : chart_.series) {
      for (const double v : s.x) grow(x_, x0, x1, v);
      for (const auto* values : {&s.y, &s.low, &s.high}) {
        for (const double v : *values) grow(y_, y0, y1, v);
      }
      if (s.mark == Mark::bars) grow(y_, y0, y1, 0.0);
    }
    if (!chart_.categories.empty()) {
      x0 = -0.5;
      x1 = static_cast<double>(chart_.categories.size()) - 0.5;
    }
    if (chart_.y_from_zero) grow(y_, y0, y1, 0.0);
    settle(x_, x0, x1, 0.0);
    settle(y_, y0, y1, 0.05);
    if (chart_.y_scale == Scale::share) y_.high = std::min(y_.high, std::max(1.0, y1));
    const bool share = chart_.y_scale == Scale::share;
    if (y0 >= 0.0 && (share || (chart_.y_from_zero && y0 == 0.0))) y_.low = std::max(y_.low, 0.0);
  }
  static void settle(Axis& axis, double low, double high, double margin) {
    if (!(low <= high)) low = high = 0.0;
    if (low == high) {
      low -= 0.5;
      high += 0.5;
    }
    const double room = margin * (high - low);
    axis.low = low - room;
    axis.high = high + room;
  }

  void text(double x, double y, std::string_view words, std::string_view anchor,
            std::string_view more = "") {
    svg_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" +
            std::string(anchor) + "\" " + std::string(more) + ">" + escape_html(words) + "</text>";
  }
  void line(double x1, double y1, double x2, double y2, std::string_view style) {
    svg_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
            "\" y2=\"" + number(y2) + "\" " + std::string(style) + "/>";
  }

  void spans() {
    for (const ChartSpan& span : chart_.spans) {
      const double a = std::clamp(x_.at(span.from), x_.from, x_.to);
      const double b = std::clamp(x_.at(span.to), x_.from, x_.to);
      svg_ += "<rect x=\"" + number(a) + "\" y=\"" + number(kTop) + "\" width=\"" +
              number(std::max(1.5, b - a)) + "\" height=\"" + number(y_.from - kTop) +
              "\" fill=\"" + std::string(colour_of(span.colour)) +
              "\" fill-opacity=\"0.16\"><title>" + escape_html(span.name) + "</title></rect>";
    }
  }

  void grid() {
    const double y_step = tick_step(y_);
    for (double v = std::ceil(y_.low / y_step) * y_step; v <= y_.high + 1e-9 * y_step;
         v += y_step) {
      const double y = y_.from + (v - y_.low) / (y_.high - y_.low) * (y_.to - y_.from);
      line(kLeft, y, x_.to, y, "stroke=\"currentColor\" stroke-opacity=\"0.15\"");
      text(kLeft - 6.0, y + 4.0, tick_text(y_, v, y_step), "end");
    }
    line(kLeft, y_.from, x_.to, y_.from, "stroke=\"currentColor\" stroke-opacity=\"0.5\"");
    if (!chart_.categories.empty()) {
      for (std::size_t i = 0; i < chart_.categories.size(); ++i) {
        text(x_.at(static_cast<double>(i)), y_.from + 15.0, chart_.categories[i], "middle");
      }
    } else {
      const double step = tick_step(x_);
      for (double v = std::ceil(x_.low / step) * step; v <= x_.high + 1e-9 * step; v += step) {
        const double x = x_.from + (v - x_.low) / (x_.high - x_.low) * (x_.to - x_.from);
        line(x, y_.from, x, y_.from + 4.0, "stroke=\"currentColor\" stroke-opacity=\"0.5\"");
        text(x, y_.from + 15.0, tick_text(x_, v, step), "middle");
      }
    }
    text((x_.from + x_.to) / 2.0, chart_.height - 8.0, chart_.x_label, "middle");
    text(kLeft, kTop - 8.0, chart_.y_label, "start", "fill-opacity=\"0.75\"");
  }

  void band(const ChartSeries& s) {
    std::string forth, back;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!x_.takes(s.x[i]) || !y_.takes(s.low[i]) || !y_.takes(s.high[i])) continue;
      const std::string x = number(x_.at(s.x[i]));
      forth += x + "," + number(y_.at(s.high[i])) + " ";
      back.insert(0, x + "," + number(y_.at(s.low[i])) + " ");
    }
    svg_ += "<polygon points=\"" + forth + back + "\" fill=\"" + std::string(colour_of(s.colour)) +
            "\" fill-opacity=\"0.18\"/>";
  }

  void path(const ChartSeries& s) {
    std::string d;
    bool drawing = false;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!x_.takes(s.x[i]) || !y_.takes(s.y[i])) {
        drawing = false;
        continue;
      }
      d += (drawing ? "L" : "M") + number(x_.at(s.x[i])) + " " + number(y_.at(s.y[i]));
      drawing = true;
    }
    svg_ += "<path d=\"" + d + "\" fill=\"none\" stroke=\"" + std::string(colour_of(s.colour)) +
            "\" stroke-width=\"1.6\"" +
            (s.mark == Mark::dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>";
  }

  void whisker(const ChartSeries& s, std::size_t i, double x) {
    if (s.low.empty() || !y_.takes(s.low[i]) || !y_.takes(s.high[i])) return;
    line(x, y_.at(s.low[i]), x, y_.at(s.high[i]),
         "stroke=\"currentColor\" stroke-opacity=\"0.7\" stroke-width=\"1.2\"");
  }

  void draw(const ChartSeries& s) {
    if (s.mark == Mark::line || s.mark == Mark::dashed) {
      if (!s.low.empty()) band(s);
      path(s);
      return;
    }
    const std::string fill = " fill=\"" + std::string(colour_of(s.colour)) + "\"";
    const double bar = bar_width();
    const double shift = s.mark == Mark::bars ? bar_shift(s, bar) : 0.0;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!x_.takes(s.x[i]) || !y_.takes(s.y[i])) continue;
      const double x = x_.at(s.x[i]) + shift;
      const double y = y_.at(s.y[i]);
      if (s.mark == Mark::points) {
        svg_ += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"3\"" + fill + "/>";
      } else {
        const double zero = std::clamp(y_.at(0.0), y_.to, y_.from);
        svg_ += "<rect x=\"" + number(x - bar / 2.0) + "\" y=\"" + number(std::min(y, zero)) +
                "\" width=\"" + number(bar) + "\" height=\"" + number(std::abs(zero - y)) + "\"" +
                fill + "/>";
      }
      whisker(s, i, x);
    }
  }

  [[nodiscard]] double bars() const {
    return static_cast<double>(
        std::count_if(chart_.series.begin(), chart_.series.end(),
                      [](const ChartSeries& s) { return s.mark == Mark::bars; }));
  }
  [[nodiscard]] double bar_width() const {
    const double places =
        !chart_.categories.empty() ? static_cast<double>(chart_.categories.size()) : 20.0;
    return std::max(1.0, 0.8 * (x_.to - x_.from) / places / std::max(1.0, bars()));
  }
  [[nodiscard]] double bar_shift(const ChartSeries& wanted, double bar) const {
    double before = 0.0;
    for (const ChartSeries& s : chart_.series) {
      if (&s == &wanted) break;
      before += s.mark == Mark::bars ? 1.0 : 0.0;
    }
    return (before - (bars() - 1.0) / 2.0) * bar;
  }

  void legend() {
    double x = x_.to;
    for (auto s = chart_.series.rbegin(); s != chart_.series.rend(); ++s) {
      if (s->name.empty()) continue;
      x -= kCharacter * static_cast<double>(s->name.size());
      text(x, kTop - 8.0, s->name, "start");
      x -= 16.0;
      const std::string stroke = "stroke=\"" + std::string(colour_of(s->colour)) +
                                 "\" stroke-width=\"3\"" +
                                 (s->mark == Mark::dashed ? " stroke-dasharray=\"4 2\"" : "");
      line(x, kTop - 12.0, x + 12.0, kTop - 12.0, stroke);
      x -= 14.0;
    }
  }

  const Chart& chart_;
  Axis x_, y_;
  std::string svg_;
};

}  // namespace

std::string to_svg(const Chart& chart) { return Drawing(chart).svg(); }

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace payops::app
