// payops detect --kind value: a CSV of one metric in, the same rows with an anomaly score out.
#pragma once

#include <string>
#include <vector>

#include "payops/core/result.h"

namespace payops::app {

struct ValueDetection {
  std::string file;  // columns timestamp (YYYY-MM-DD HH:MM:SS or ms since 1970) and value
  std::string out;   // columns timestamp, value, anomaly_score; empty for stdout
};

// What the options' help says of rows, warm-up and scores.
extern const char* const kValueDetectionHelp;

// Scores every row by the rows before it. Gives what is to be said of it, sentence by sentence.
// Errors: usage for a file that is no such table, with file, line and column, and for an `out` that
// cannot be written. A file named by `out` appears whole or not at all; stdout has had the rows
// before the fault.
[[nodiscard]] Result<std::vector<std::string>> score_values(const ValueDetection& options);

// The same, with what is to be said on stderr. Gives the exit status.
int detect_value(const ValueDetection& options);

}  // namespace payops::app
