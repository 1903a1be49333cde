// What a scan for causes found, in the words and names of the table it was read from.
#pragma once

#include <string>

#include "payops/reasoning/slice_scan.h"
#include "slice_table.h"

namespace payops::app {

// A sentence on each cause, and a table of the candidates.
[[nodiscard]] std::string attribution_text(const SliceTable& table, const SliceTableSpec& spec,
                                           const reasoning::SliceScan& scan);

// {"causes":[{"slice":{"a":"x","b":"*"},"score","excess","probability",…}],"candidates":[…],…}: one
// line of JSON, slices by the dimensions of the command line, "*" for any value.
[[nodiscard]] std::string attribution_json(const SliceTable& table, const SliceTableSpec& spec,
                                           const reasoning::SliceScan& scan);

}  // namespace payops::app
