#include "attribution_report.h"

#include <cmath>

#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "terminal.h"

namespace payops::app {
namespace {

using reasoning::kAnyValue;
using reasoning::SliceFinding;
using reasoning::SliceScan;

// The finding's value of a dimension of the command line; "*" for any.
std::string value_of(const SliceTable& table, const SliceFinding& finding,
                     const std::string& dimension) {
  for (std::size_t d = 0; d < table.dimensions.size(); ++d) {
    if (table.dimensions[d] != dimension || finding.values[d] == kAnyValue) continue;
    return table.values[d][static_cast<std::size_t>(finding.values[d])];
  }
  return "*";
}

Json json_of(const SliceTable& table, const SliceTableSpec& spec,
             const std::vector<SliceFinding>& findings) {
  Json list = Json::array();
  for (const SliceFinding& finding : findings) {
    Json slice = Json::object();
    for (const std::string& name : spec.dimensions) slice[name] = value_of(table, finding, name);
    list.push_back(Json{{"slice", slice},
                        {"score", finding.score},
                        {"excess", finding.excess},
                        {"probability", finding.probability},
                        {"attempts", finding.attempts},
                        {"failures", finding.failures},
                        {"expected", finding.expected}});
  }
  return list;
}

std::string slice_name(const SliceTable& table, const SliceTableSpec& spec,
                       const SliceFinding& finding) {
  std::vector<std::string> parts;
  for (const std::string& name : spec.dimensions) {
    const std::string value = value_of(table, finding, name);
    if (value != "*") parts.push_back(name + "=" + value);
  }
  return parts.empty() ? "everything" : join(parts, ", ");
}

std::string count(double value) {
  return fixed(value, value == std::floor(value) || value >= 1000.0 ? 0 : 1);
}

std::string sentence(const SliceTable& table, const SliceTableSpec& spec,
                     const SliceFinding& finding, const SliceScan& scan) {
  const double all = scan.failures - scan.expected;
  std::string text = slice_name(table, spec, finding) + ": " + count(finding.failures) +
                     " failures of " + count(finding.attempts) + " attempts (" +
                     percent(finding.failures / finding.attempts) + ") where " +
                     count(finding.expected) + " (" + percent(finding.expected / finding.attempts) +
                     ") were expected";
  if (all > 0.0 && finding.excess < all)
    text += ", " + percent(finding.excess / all, 0) + " of the excess";
  return text + "; a cause with probability " + percent(finding.probability, 0) + ".";
}

}  // namespace

std::string attribution_text(const SliceTable& table, const SliceTableSpec& spec,
                             const SliceScan& scan) {
  std::string text = count(scan.failures) + " failures of " + count(scan.attempts) +
                     " attempts in " + std::to_string(table.counts.leaves()) + " combinations of " +
                     join(spec.dimensions, ", ") + ", where " + count(scan.expected) +
                     " were expected\n";
  if (scan.causes.empty()) text += "no cause: no slice stands out of the noise\n";
  for (const SliceFinding& cause : scan.causes) {
    text += "! " + sentence(table, spec, cause, scan) + "\n";
  }
  if (scan.candidates.empty()) return text;
  text += "\n" + pad_left("score", 10) + pad_left("probability", 13) + pad_left("excess", 12) +
          pad_left("rate", 9) + "  slice\n";
  for (const SliceFinding& one : scan.candidates) {
    text += pad_left(fixed(one.score, 1), 10) + pad_left(percent(one.probability), 13) +
            pad_left(count(one.excess), 12) + pad_left(percent(one.failures / one.attempts), 9) +
            "  " + slice_name(table, spec, one) + "\n";
  }
  return text;
}

std::string attribution_json(const SliceTable& table, const SliceTableSpec& spec,
                             const SliceScan& scan) {
  const Json all = {{"causes", json_of(table, spec, scan.causes)},
                    {"candidates", json_of(table, spec, scan.candidates)},
                    {"attempts", scan.attempts},
                    {"failures", scan.failures},
                    {"expected", scan.expected},
                    {"combinations", table.counts.leaves()},
                    {"noise", {{"excess", scan.noise.excess}, {"relative", scan.noise.relative}}}};
  return dump(all) + "\n";
}

}  // namespace payops::app
