// Charts as SVG text, to stand in a page or a file of its own: lines, points, bars and bands over
// two axes, in colours that can be told apart without seeing colour (Okabe and Ito 2008) and on
// light and dark alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace payops::app {

enum class Mark : uint8_t { line, dashed, points, bars };

struct ChartSeries {
  std::string name;  // in the legend; empty = not there
  Mark mark = Mark::line;
  int colour = 0;  // index into the palette of eight
  std::vector<double> x{};
  std::vector<double> y{};     // as many as x; NaN breaks a line
  std::vector<double> low{};   // with `high`: a band (line) or whiskers (points, bars) around y
  std::vector<double> high{};  // both empty, or as many as x
};

// A stretch of x that is shaded, with its name on top: an incident, an intervention.
struct ChartSpan {
  double from = 0.0;
  double to = 0.0;
  std::string name;
  int colour = 6;
};

// How an axis reads: plain numbers, shares as per cent, ms since 1970 as UTC, powers of ten.
enum class Scale : uint8_t { number, share, time, log10 };

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  Scale x_scale = Scale::number;
  Scale y_scale = Scale::number;
  std::vector<std::string> categories{};  // names for x = 0, 1, 2 …, in place of numbers
  bool y_from_zero = false;
  std::vector<ChartSeries> series{};
  std::vector<ChartSpan> spans{};
  double width = 760.0;  // in CSS pixels
  double height = 280.0;
};

// A whole <svg> element, with title and description for those who do not see it. Values that a
// scale cannot hold (not finite; <= 0 on log10) are left out.
[[nodiscard]] std::string to_svg(const Chart& chart);

// Text made safe inside HTML and SVG.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace payops::app
